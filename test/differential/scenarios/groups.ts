import { DeleteGroups } from "#protocol/messages/delete-groups.ts";
import { DescribeGroups } from "#protocol/messages/describe-groups.ts";
import { Heartbeat } from "#protocol/messages/heartbeat.ts";
import { ConsumerProtocolSubscription } from "#protocol/messages/internal/consumer-protocol.ts";
import { JoinGroup } from "#protocol/messages/join-group.ts";
import { LeaveGroup } from "#protocol/messages/leave-group.ts";
import { ListGroups } from "#protocol/messages/list-groups.ts";
import { OffsetCommit } from "#protocol/messages/offset-commit.ts";
import { SyncGroup } from "#protocol/messages/sync-group.ts";
import type { RequestInput } from "#protocol/schema/api.ts";
import { encodeVersioned } from "#protocol/schema/message.ts";
import { waitUntil } from "../../integration/wait-until.ts";
import { requests, type Scenario, scenario } from "../scenario.ts";
import type { Wire } from "../wire.ts";
import { fixtures } from "./fixtures.ts";

type Join = RequestInput<typeof JoinGroup>;

/** Older ones cannot name a static member. */
export const newest = { join: 9, sync: 4, heartbeat: 4, leave: 5 } as const;
const unknownMember = "member-aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

/** Membership of classic groups. */
export const groupScenarios: readonly Scenario[] = [
  scenario(JoinGroup, "a first member", async (wire) => {
    const group = wire.name("g");
    const member = await joinAlone(wire, group, { version: wire.version, recorded: true });
    await describe(wire, group);
    await wire.send("sync", SyncGroup, syncOf(group, member), { version: newest.sync });
    await wire.send("heartbeat", Heartbeat, beat(group, member), { version: newest.heartbeat });
    await describe(wire, group);
    await wire.send("join again", JoinGroup, { ...joinOf(group, wire), memberId: member.memberId });
  }),
  ...joins({
    "no group id": (join) => ({ ...join, groupId: "" }),
    "no protocols": (join) => ({ ...join, protocols: [] }),
    "no protocol type": (join) => ({ ...join, protocolType: "" }),
    "no protocol name": (join) => ({
      ...join,
      protocols: [{ name: "", metadata: subscription(fixtures.orders) }],
    }),
    "a session that is too short": (join) => ({ ...join, sessionTimeoutMs: 10 }),
    "a session that is too long": (join) => ({ ...join, sessionTimeoutMs: 10_000_000 }),
    "an unknown member": (join) => ({ ...join, memberId: unknownMember }),
  }),
  // Kafka takes its time to say nothing: one version is enough.
  ...joins(
    {
      "one protocol twice": (join) => ({
        ...join,
        protocols: [...(join.protocols ?? []), ...(join.protocols ?? [])],
      }),
    },
    { until: 0 },
  ),
  ...joins(
    {
      "an empty instance id": (join) => ({ ...join, groupInstanceId: "" }),
      "a bad instance id": (join) => ({ ...join, groupInstanceId: "bad id!" }),
      "the name of this directory as instance id": (join) => ({ ...join, groupInstanceId: "." }),
      "a long instance id": (join) => ({ ...join, groupInstanceId: "i".repeat(250) }),
      "an unknown member with an instance id": (join) => ({
        ...join,
        memberId: unknownMember,
        groupInstanceId: "instance",
      }),
    },
    { since: 5 },
  ),
  scenario(JoinGroup, "wrong joins of a group that is there", async (wire) => {
    const group = wire.name("g");
    const member = await stable(wire, group);
    const other = wire.other("other");
    const join = joinOf(group, wire);
    const odd: Readonly<Record<string, Join>> = {
      "another protocol type": { ...join, protocolType: "connect" },
      "other protocols": { ...join, protocols: [{ name: "other", metadata: subscription(fixtures.orders) }] },
      "no protocols": { ...join, protocols: [] },
      "an unknown member": { ...join, memberId: unknownMember },
      "a member with another type": { ...join, memberId: member.memberId, protocolType: "connect" },
      "a member with other protocols": {
        ...join,
        memberId: member.memberId,
        protocols: [{ name: "other", metadata: subscription(fixtures.orders) }],
      },
    };
    for (const [step, request] of Object.entries(odd)) await other.send(step, JoinGroup, request);
    await describe(wire, group);
  }),
  scenario(JoinGroup, "two members", async (wire) => {
    const group = wire.name("g");
    const first = await stable(wire, group);
    const second = wire.other("second");
    const joining = joinAlone(second, group, { version: wire.version, label: "second" });
    await beatUntilRebalance(wire, group, first);
    await wire.send("beat", Heartbeat, beat(group, first), { version: newest.heartbeat });
    await wire.send("early sync", SyncGroup, syncOf(group, first), { version: newest.sync });
    await wire.send("commit", OffsetCommit, commitOf(group, first), { version: 7 });
    await describe(wire, group);
    const rejoin = { ...joinOf(group, wire), memberId: first.memberId };
    const joined = await wire.send("rejoin", JoinGroup, rejoin);
    const member = await joining;
    wire.note("second", { generationId: member.generationId, leader: member.leader === first.memberId });
    const generation = { memberId: first.memberId, generationId: joined?.generationId ?? -1 };
    await wire.send("commit while awaiting sync", OffsetCommit, commitOf(group, generation), { version: 7 });
    await wire.send("beat while awaiting sync", Heartbeat, beat(group, generation), {
      version: newest.heartbeat,
    });
    const waiting = second.ask(SyncGroup, { ...syncOf(group, member), assignments: [] }, newest.sync);
    await wire.send(
      "sync",
      SyncGroup,
      {
        ...syncOf(group, generation),
        assignments: [
          { memberId: first.memberId, assignment: Buffer.from("one") },
          { memberId: member.memberId, assignment: Buffer.from("two") },
        ],
      },
      { version: newest.sync },
    );
    wire.note("second's share", await waiting);
    await describe(wire, group);
    await wire.send("old generation", Heartbeat, beat(group, first), { version: newest.heartbeat });
    await second.send("leave", LeaveGroup, leaveOf(group, [[member.memberId, null]]), {
      version: newest.leave,
    });
    await wire.send("beat after", Heartbeat, beat(group, generation), { version: newest.heartbeat });
    await describe(wire, group);
  }),
  scenario(
    JoinGroup,
    "static members",
    async (wire) => {
      const group = wire.name("g");
      const join = { ...joinOf(group, wire), groupInstanceId: "one" };
      const first = await wire.send("join", JoinGroup, join);
      const member = { memberId: first?.memberId ?? "", generationId: first?.generationId ?? -1 };
      await wire.send(
        "sync",
        SyncGroup,
        { ...syncOf(group, member), groupInstanceId: "one" },
        { version: newest.sync },
      );
      await describe(wire, group);
      const again = await wire.send("join as new", JoinGroup, join);
      const renewed = { memberId: again?.memberId ?? "", generationId: again?.generationId ?? -1 };
      const fenced = { ...beat(group, member), groupInstanceId: "one" };
      await wire.send("beat of the old", Heartbeat, fenced, { version: newest.heartbeat });
      await wire.send(
        "sync of the new",
        SyncGroup,
        { ...syncOf(group, renewed), groupInstanceId: "one" },
        { version: newest.sync },
      );
      await wire.send(
        "beat of the new",
        Heartbeat,
        { ...beat(group, renewed), groupInstanceId: "one" },
        { version: newest.heartbeat },
      );
      await wire.send(
        "beat of another instance",
        Heartbeat,
        { ...beat(group, renewed), groupInstanceId: "two" },
        { version: newest.heartbeat },
      );
      await wire.send("join of the old", JoinGroup, { ...join, memberId: member.memberId });
      await wire.send(
        "commit of the old",
        OffsetCommit,
        { ...commitOf(group, member), groupInstanceId: "one" },
        { version: 7 },
      );
      const changed = { ...join, protocols: [{ name: "range", metadata: subscription(fixtures.trimmed) }] };
      await wire.send("join with another subscription", JoinGroup, changed);
      await describe(wire, group);
      await wire.send("leave, wrong member", LeaveGroup, leaveOf(group, [[unknownMember, "one"]]), {
        version: newest.leave,
      });
      await wire.send("leave, wrong instance", LeaveGroup, leaveOf(group, [["", "two"]]), {
        version: newest.leave,
      });
      await wire.send("leave", LeaveGroup, leaveOf(group, [["", "one"]]), { version: newest.leave });
      await describe(wire, group);
    },
    { since: 5 },
  ),

  scenario(SyncGroup, "wrong and right ones", async (wire) => {
    const group = wire.name("g");
    await wire.send(
      "an unknown group",
      SyncGroup,
      syncOf(group, { memberId: "x", generationId: 1 }, wire.version),
    );
    const member = await joinAlone(wire, group);
    const sync = syncOf(group, member, wire.version);
    await wire.send("no group id", SyncGroup, { ...sync, groupId: "" });
    await wire.send("an unknown member", SyncGroup, { ...sync, memberId: unknownMember });
    await wire.send("another generation", SyncGroup, { ...sync, generationId: 9 });
    await wire.send("right", SyncGroup, sync);
    await wire.send("right again", SyncGroup, { ...sync, assignments: [] });
    await wire.send("another assignment", SyncGroup, {
      ...sync,
      assignments: [{ memberId: member.memberId, assignment: Buffer.from("changed") }],
    });
    await describe(wire, group);
  }),
  scenario(SyncGroup, "without an assignment", async (wire) => {
    const group = wire.name("g");
    const member = await joinAlone(wire, group);
    await wire.send("sync", SyncGroup, { ...syncOf(group, member, wire.version), assignments: [] });
  }),
  scenario(
    SyncGroup,
    "protocols that do not match",
    async (wire) => {
      const group = wire.name("g");
      const sync = syncOf(group, await joinAlone(wire, group));
      await wire.send("another type", SyncGroup, { ...sync, protocolType: "connect", protocolName: "range" });
      await wire.send("another name", SyncGroup, {
        ...sync,
        protocolType: "consumer",
        protocolName: "other",
      });
      await wire.send("neither", SyncGroup, sync);
      await wire.send("only a type", SyncGroup, { ...sync, protocolType: "consumer" });
      await wire.send("only a name", SyncGroup, { ...sync, protocolName: "range" });
      await wire.send("both", SyncGroup, { ...sync, protocolType: "consumer", protocolName: "range" });
    },
    { since: 5 },
  ),

  scenario(Heartbeat, "wrong and right ones", async (wire) => {
    const group = wire.name("g");
    await wire.send("an unknown group", Heartbeat, beat(group, { memberId: "x", generationId: 1 }));
    await wire.send("no group id", Heartbeat, beat("", { memberId: "x", generationId: 1 }));
    const member = await joinAlone(wire, group);
    await wire.send("before the sync", Heartbeat, beat(group, member));
    await wire.ask(SyncGroup, syncOf(group, member), newest.sync);
    await wire.send("right", Heartbeat, beat(group, member));
    await wire.send("another generation", Heartbeat, beat(group, { ...member, generationId: 9 }));
    await wire.send("no generation", Heartbeat, beat(group, { ...member, generationId: -1 }));
    await wire.send("an unknown member", Heartbeat, beat(group, { ...member, memberId: unknownMember }));
    await wire.send("no member", Heartbeat, beat(group, { ...member, memberId: "" }));
  }),

  scenario(LeaveGroup, "wrong and right ones", async (wire) => {
    const group = wire.name("g");
    const leave = (step: string, name: string, memberId: string) =>
      wire.send(
        step,
        LeaveGroup,
        wire.version >= 3 ? leaveOf(name, [[memberId, null]]) : { groupId: name, memberId },
      );
    await leave("an unknown group", group, "x");
    await leave("no group id", "", "x");
    const member = await stable(wire, group);
    await leave("an unknown member", group, unknownMember);
    await leave("no member", group, "");
    await leave("right", group, member.memberId);
    await leave("again", group, member.memberId);
    await describe(wire, group);
  }),
  scenario(
    LeaveGroup,
    "several at once",
    async (wire) => {
      const group = wire.name("g");
      const member = await stable(wire, group);
      await wire.send("nobody", LeaveGroup, leaveOf(group, []));
      const leaving = [
        [member.memberId, null],
        [unknownMember, null],
        ["", "unknown-instance"],
      ] as const;
      await wire.send("leave", LeaveGroup, leaveOf(group, leaving));
    },
    { since: 3 },
  ),
  scenario(
    JoinGroup,
    "an id that was given but not used",
    async (wire) => {
      const group = wire.name("g");
      const first = await wire.send("ask", JoinGroup, joinOf(group, wire));
      await describe(wire, group);
      const member = { memberId: first?.memberId ?? "", generationId: -1 };
      await wire.send("beat", Heartbeat, beat(group, member), { version: newest.heartbeat });
      await wire.send("sync", SyncGroup, syncOf(group, member), { version: newest.sync });
      await wire.send("commit", OffsetCommit, commitOf(group, member), { version: 7 });
      await wire.send("leave", LeaveGroup, leaveOf(group, [[member.memberId, null]]), {
        version: newest.leave,
      });
      await describe(wire, group);
    },
    { since: 4 },
  ),

  ...requests(DescribeGroups, {
    "no groups": { groups: [] },
    "an unknown group": (wire) => ({ groups: [wire.name("g")] }),
    "no group id": { groups: [""] },
    "a group twice": (wire) => ({ groups: [wire.name("g"), wire.name("g")] }),
    "a group with offsets only": { groups: ["fixture"] },
  }),
  ...requests(
    DescribeGroups,
    { "what is allowed": { groups: ["fixture"], includeAuthorizedOperations: true } },
    { since: 3 },
  ),
  scenario(DescribeGroups, "a group with a member", async (wire) => {
    const group = wire.name("g");
    await stable(wire, group);
    await wire.send("describe", DescribeGroups, { groups: [group] });
  }),
  scenario(ListGroups, "groups of this run", async (wire) => {
    const [stableGroup, pending, left] = [wire.name("stable"), wire.name("pending"), wire.name("left")];
    await stable(wire, stableGroup);
    await joinAlone(wire, pending);
    const member = await stable(wire, left);
    await wire.ask(LeaveGroup, leaveOf(left, [[member.memberId, null]]));
    for (const [step, filters] of [
      ["all", {}],
      ["stable", { statesFilter: ["Stable"] }],
      ["in small letters", { statesFilter: ["stable", "empty"] }],
      ["waiting", { statesFilter: ["CompletingRebalance"] }],
      ["unknown state", { statesFilter: ["NoSuchState"] }],
      ["classic", { typesFilter: ["Classic"] }],
      ["consumer", { typesFilter: ["consumer"] }],
      ["unknown type", { typesFilter: ["nonsense"] }],
    ] as const) {
      if ("statesFilter" in filters && wire.version < 4) continue;
      if ("typesFilter" in filters && wire.version < 5) continue;
      const answer = await wire.ask(ListGroups, filters, wire.version);
      const groups = answer.groups.filter(({ groupId }) => groupId.startsWith(wire.name("")));
      wire.note(step, { ...answer, groups });
    }
  }),
  scenario(DeleteGroups, "used, left, unknown", async (wire) => {
    const [used, left, unknown] = [wire.name("used"), wire.name("left"), wire.name("unknown")];
    await stable(wire, used);
    const member = await stable(wire, left);
    await wire.ask(LeaveGroup, leaveOf(left, [[member.memberId, null]]));
    await wire.send("nothing", DeleteGroups, { groupsNames: [] });
    await wire.send("no group id", DeleteGroups, { groupsNames: [""] });
    await wire.send("delete", DeleteGroups, { groupsNames: [used, left, unknown] });
    await wire.send("again", DeleteGroups, { groupsNames: [left, left] });
    await describe(wire, left);
  }),
];

interface Member {
  readonly memberId: string;
  readonly generationId: number;
}

/** Each sent as a first join, in all versions. */
function joins(table: Readonly<Record<string, (join: Join) => Join>>, bounds = {}): Scenario[] {
  return Object.entries(table).map(([name, change]) =>
    scenario(
      JoinGroup,
      name,
      async (wire) => {
        const group = wire.name("g");
        await wire.send("join", JoinGroup, change(joinOf(group, wire)));
        await describe(wire, group);
      },
      bounds,
    ),
  );
}

/** A first join, with a session that no scenario outlives. */
export function joinOf(groupId: string, { version }: { version: number }): Join {
  return {
    groupId,
    sessionTimeoutMs: 60_000,
    ...(version >= 1 && { rebalanceTimeoutMs: 60_000 }),
    memberId: "",
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: subscription(fixtures.orders) }],
  };
}

function subscription(topic: string): Uint8Array {
  return encodeVersioned(ConsumerProtocolSubscription, { topics: [topic] }, 1);
}

/** Joins, with the id that newer versions demand first. */
async function joinAlone(
  wire: Wire,
  group: string,
  { version = newest.join as number, recorded = false, label = "join" } = {},
): Promise<Member & { leader: string }> {
  const join = joinOf(group, { version });
  const send = async (step: string, request: Join) =>
    recorded
      ? await wire.send(step, JoinGroup, request, { version })
      : await wire.ask(JoinGroup, request, version);
  let answer = await send(label, join);
  if (answer?.errorCode === 79)
    answer = await send(`${label} with the id`, { ...join, memberId: answer.memberId });
  return {
    memberId: answer?.memberId ?? "",
    generationId: answer?.generationId ?? -1,
    leader: answer?.leader ?? "",
  };
}

/** A group of one member that has its share. */
export async function stable(wire: Wire, group: string): Promise<Member> {
  const member = await joinAlone(wire, group);
  await wire.ask(SyncGroup, syncOf(group, member), newest.sync);
  return member;
}

async function beatUntilRebalance(wire: Wire, group: string, member: Member): Promise<void> {
  await waitUntil(
    "a rebalance",
    async () => (await wire.ask(Heartbeat, beat(group, member))).errorCode !== 0,
  );
}

/** Notes what the group looks like now. */
export async function describe(wire: Wire, group: string): Promise<void> {
  wire.note("described", await wire.ask(DescribeGroups, { groups: [group] }));
}

/** The leader's sync of a group of its own. */
export function syncOf(groupId: string, { memberId, generationId }: Member, version: number = newest.sync) {
  const assignments = [{ memberId, assignment: Buffer.from("share") }];
  const protocol = version >= 5 ? { protocolType: "consumer", protocolName: "range" } : {};
  return { groupId, generationId, memberId, assignments, ...protocol };
}

/** A heartbeat. */
export function beat(groupId: string, { memberId, generationId }: Member) {
  return { groupId, generationId, memberId };
}

/** Members who leave, static ones by their instances. */
export function leaveOf(
  groupId: string,
  members: readonly (readonly [memberId: string, instance: string | null])[],
) {
  return { groupId, members: members.map(([memberId, groupInstanceId]) => ({ memberId, groupInstanceId })) };
}

function commitOf(groupId: string, { memberId, generationId }: Member) {
  const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }];
  const topics = [{ name: fixtures.orders, partitions }];
  return { groupId, memberId, generationIdOrMemberEpoch: generationId, topics };
}
