import { setTimeout as sleep } from "node:timers/promises";
import { Heartbeat } from "#protocol/messages/heartbeat.ts";
import { JoinGroup } from "#protocol/messages/join-group.ts";
import { LeaveGroup } from "#protocol/messages/leave-group.ts";
import { SyncGroup } from "#protocol/messages/sync-group.ts";
import { type Scenario, scenario } from "../scenario.ts";
import type { Wire } from "../wire.ts";
import { beat, describe, joinOf, leaveOf, newest, syncOf } from "./groups.ts";

/** The shortest that the brokers allow here. */
const sessionTimeoutMs = 1_000;
/** Well past a session, also where the broker looks only now and then. */
const pastSessionMs = 1_800;

/** Members who do not say anything any more, and ids that nobody uses (KIP-394). */
export const silentMemberScenarios: readonly Scenario[] = [
  scenario(
    JoinGroup,
    "an id that is given out and not used",
    async (wire) => {
      const group = wire.name("g");
      const memberId = await newId(wire, group);
      const member = { memberId, generationId: -1 };
      await wire.send("beat", Heartbeat, beat(group, member), { version: newest.heartbeat });
      await wire.send("sync", SyncGroup, syncOf(group, member), { version: newest.sync });
      await describe(wire, group);
      await sleep(pastSessionMs);
      await describe(wire, group);
      await wire.send("too late", JoinGroup, { ...shortJoin(group, wire), memberId });
      await describe(wire, group);
    },
    { since: 4 },
  ),
  scenario(
    JoinGroup,
    "an id that is given back before it is used",
    async (wire) => {
      const group = wire.name("g");
      const memberId = await newId(wire, group);
      const leave = leaveOf(group, [[memberId, null]]);
      await wire.send("leave", LeaveGroup, leave, { version: newest.leave });
      await wire.send("leave again", LeaveGroup, leave, { version: newest.leave });
      await wire.send("join", JoinGroup, { ...shortJoin(group, wire), memberId });
      await describe(wire, group);
    },
    { since: 4 },
  ),
  scenario(
    JoinGroup,
    "an unused id does not hold up the others",
    async (wire) => {
      const group = wire.name("g");
      await newId(wire, group);
      const other = wire.other("other");
      const memberId = await newId(other, group, "other");
      await other.send("other joins", JoinGroup, { ...shortJoin(group, other), memberId });
      await describe(wire, group);
    },
    { since: 4 },
  ),
  scenario(JoinGroup, "a member falls silent", async (wire) => {
    const group = wire.name("g");
    let joined = await wire.send("join", JoinGroup, shortJoin(group, wire));
    if (joined?.errorCode === 79) {
      const again = { ...shortJoin(group, wire), memberId: joined.memberId };
      joined = await wire.send("join with the id", JoinGroup, again);
    }
    const member = { memberId: joined?.memberId ?? "", generationId: joined?.generationId ?? -1 };
    await wire.ask(SyncGroup, syncOf(group, member), newest.sync);
    await describe(wire, group);
    await sleep(pastSessionMs);
    await describe(wire, group);
    await wire.send("beat", Heartbeat, beat(group, member), { version: newest.heartbeat });
    await wire.send("come back", JoinGroup, { ...shortJoin(group, wire), memberId: member.memberId });
  }),
];

function shortJoin(groupId: string, { version }: { version: number }) {
  return { ...joinOf(groupId, { version }), sessionTimeoutMs };
}

/** Asks for a member id as a client does that has none. */
async function newId(wire: Wire, group: string, label = "first"): Promise<string> {
  const answer = await wire.send(`${label} asks for an id`, JoinGroup, shortJoin(group, wire));
  return answer?.memberId ?? "";
}
