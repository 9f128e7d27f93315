import { LeaveGroup } from "#protocol/messages/leave-group.ts";
import { OffsetCommit } from "#protocol/messages/offset-commit.ts";
import { OffsetDelete } from "#protocol/messages/offset-delete.ts";
import { OffsetFetch } from "#protocol/messages/offset-fetch.ts";
import { requests, type Scenario, scenario } from "../scenario.ts";
import type { Wire } from "../wire.ts";
import { fixtures, unknownTopicId } from "./fixtures.ts";
import { stable } from "./groups.ts";

interface Committed {
  readonly topic?: string;
  readonly partitionIndex?: number;
  readonly committedOffset?: number;
  readonly committedLeaderEpoch?: number;
  readonly committedMetadata?: string | null;
}

/** Offsets of groups: committed, asked for, removed. */
export const commitScenarios: readonly Scenario[] = [
  ...commits({
    plain: [{}],
    "with metadata": [{ committedMetadata: "note" }],
    "null metadata": [{ committedMetadata: null }],
    "metadata that is just too long": [{ committedMetadata: "m".repeat(4_097) }],
    "metadata of the greatest length": [{ committedMetadata: "m".repeat(4_096) }],
    "past the end of the log": [{ committedOffset: 1_000_000 }],
    "a negative offset": [{ committedOffset: -1 }],
    "a very negative offset": [{ committedOffset: -5 }],
    "an unknown topic": [{ topic: fixtures.unknown }],
    "an unknown partition": [{ partitionIndex: 9 }],
    "a negative partition": [{ partitionIndex: -1 }],
    "a bad topic name": [{ topic: "bad name!" }],
    "one good, one unknown": [{}, { topic: fixtures.unknown }],
    "one partition twice": [{ committedOffset: 1 }, { committedOffset: 2 }],
    "no topics": [],
  }),
  ...commits({ "a leader epoch": [{ committedLeaderEpoch: 3 }] }, { since: 6 }),
  scenario(OffsetCommit, "members and strangers", async (wire) => {
    const group = wire.name("g");
    const member = await stable(wire, group);
    const { memberId, generationId } = member;
    for (const [step, who] of [
      ["the member", { memberId, generationIdOrMemberEpoch: generationId }],
      ["another generation", { memberId, generationIdOrMemberEpoch: 9 }],
      ["no generation", { memberId, generationIdOrMemberEpoch: -1 }],
      ["an unknown member", { memberId: "stranger", generationIdOrMemberEpoch: generationId }],
      ["nobody", { memberId: "", generationIdOrMemberEpoch: -1 }],
      ["nobody at a generation", { memberId: "", generationIdOrMemberEpoch: generationId }],
    ] as const) {
      await wire.send(step, OffsetCommit, { ...(await commitOf(wire, group, [{}])), ...who });
    }
    await wire.ask(LeaveGroup, { groupId: group, members: [{ memberId, groupInstanceId: null }] });
    await wire.send("nobody, after all left", OffsetCommit, await commitOf(wire, group, [{}]));
    await wire.send("the member, after all left", OffsetCommit, {
      ...(await commitOf(wire, group, [{}])),
      memberId,
      generationIdOrMemberEpoch: generationId,
    });
  }),
  ...requests(OffsetCommit, {
    "no group id": async (wire) => await commitOf(wire, "", [{}]),
    "a member of an unknown group": async (wire) => ({
      ...(await commitOf(wire, wire.name("none"), [{}])),
      memberId: "stranger",
      generationIdOrMemberEpoch: 1,
    }),
    "a generation of an unknown group": async (wire) => ({
      ...(await commitOf(wire, wire.name("none"), [{}])),
      generationIdOrMemberEpoch: 0,
    }),
  }),
  ...requests(
    OffsetCommit,
    {
      "an unknown instance": async (wire) => ({
        ...(await commitOf(wire, wire.name("none"), [{}])),
        groupInstanceId: "instance",
      }),
    },
    { since: 7 },
  ),

  scenario(OffsetFetch, "what is there and what is not", async (wire) => {
    const group = wire.name("g");
    await wire.ask(
      OffsetCommit,
      await commitOf(wire, group, [{ committedOffset: 5, committedMetadata: "m" }], 9),
      9,
    );
    const ask = async (step: string, of: string, topics: Asked | null) =>
      await wire.send(step, OffsetFetch, await fetchOf(wire, of, topics));
    await ask("one partition", group, [[fixtures.orders, [0]]]);
    await ask("a partition without an offset", group, [[fixtures.orders, [1, 0]]]);
    await ask("an unknown partition", group, [[fixtures.orders, [77]]]);
    await ask("an unknown topic", group, [[fixtures.unknown, [0]]]);
    await ask("no topics", group, []);
    await ask("no partitions", group, [[fixtures.orders, []]]);
    await ask("a partition twice", group, [[fixtures.orders, [0, 0]]]);
    await ask("an unknown group", wire.name("none"), [[fixtures.orders, [0]]]);
    await ask("no group id", "", [[fixtures.orders, [0]]]);
    if (wire.version >= 2) {
      await ask("all topics", group, null);
      await ask("all topics of an unknown group", wire.name("none"), null);
    }
  }),
  scenario(
    OffsetFetch,
    "only what is stable",
    async (wire) => {
      const request = await fetchOf(wire, "fixture", [[fixtures.orders, [0]]]);
      await wire.send("stable", OffsetFetch, { ...request, requireStable: true });
    },
    { since: 7 },
  ),
  scenario(
    OffsetFetch,
    "several groups",
    async (wire) => {
      const topicId = await wire.topicId(fixtures.orders);
      const topics = [{ name: fixtures.orders, topicId, partitionIndexes: [0] }];
      const groups = ["fixture", wire.name("none"), ""].map((groupId) => ({ groupId, topics }));
      await wire.send("three", OffsetFetch, { groups });
      await wire.send("none", OffsetFetch, { groups: [] });
      await wire.send("one twice", OffsetFetch, { groups: [groups[0] ?? {}, groups[0] ?? {}] });
    },
    { since: 8 },
  ),
  scenario(
    OffsetFetch,
    "a member epoch",
    async (wire) => {
      const topicId = await wire.topicId(fixtures.orders);
      const topics = [{ name: fixtures.orders, topicId, partitionIndexes: [0] }];
      for (const [step, who] of [
        ["a member of a simple group", { memberId: "m", memberEpoch: 1 }],
        ["an epoch of nobody", { memberId: null, memberEpoch: 1 }],
        ["a member without an epoch", { memberId: "m", memberEpoch: -1 }],
      ] as const) {
        await wire.send(step, OffsetFetch, { groups: [{ groupId: "fixture", topics, ...who }] });
      }
    },
    { since: 9 },
  ),

  scenario(OffsetDelete, "of a group that is left", async (wire) => {
    const group = wire.name("g");
    await wire.ask(OffsetCommit, await commitOf(wire, group, [{}, { partitionIndex: 1 }], 9), 9);
    const remove = (step: string, topic: string, partitionIndex: number) =>
      wire.send(step, OffsetDelete, {
        groupId: group,
        topics: [{ name: topic, partitions: [{ partitionIndex }] }],
      });
    await remove("one", fixtures.orders, 0);
    await remove("again", fixtures.orders, 0);
    await remove("without an offset", fixtures.orders, 2);
    await remove("an unknown partition", fixtures.orders, 9);
    await remove("an unknown topic", fixtures.unknown, 0);
    wire.note("left", await wire.ask(OffsetFetch, await fetchOf(wire, group, null, 8), 8));
  }),
  scenario(OffsetDelete, "of a group that reads", async (wire) => {
    const group = wire.name("g");
    await wire.ask(OffsetCommit, await commitOf(wire, group, [{}], 9), 9);
    await stable(wire, group);
    const topics = [{ name: fixtures.orders, partitions: [{ partitionIndex: 0 }] }];
    await wire.send("delete", OffsetDelete, { groupId: group, topics });
  }),
  ...requests(OffsetDelete, {
    "an unknown group": (wire) => ({
      groupId: wire.name("none"),
      topics: [{ name: fixtures.orders, partitions: [{ partitionIndex: 0 }] }],
    }),
    "no group id": { groupId: "", topics: [{ name: fixtures.orders, partitions: [{ partitionIndex: 0 }] }] },
    "no topics": { groupId: "fixture", topics: [] },
  }),
];

type Asked = readonly (readonly [topic: string, partitions: readonly number[]])[];

function commits(table: Readonly<Record<string, readonly Committed[]>>, bounds = {}): Scenario[] {
  return Object.entries(table).map(([title, committed]) =>
    scenario(
      OffsetCommit,
      title,
      async (wire) => {
        const group = wire.name("g");
        await wire.send("commit", OffsetCommit, await commitOf(wire, group, committed));
        wire.note("committed", await wire.ask(OffsetFetch, await fetchOf(wire, group, null, 8), 8));
      },
      bounds,
    ),
  );
}

async function commitOf(
  wire: Wire,
  groupId: string,
  committed: readonly Committed[],
  version: number = wire.version,
) {
  const topics = [];
  for (const { topic = fixtures.orders, ...partition } of committed) {
    const topicId = await idOf(wire, topic, version);
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "", ...partition }];
    topics.push({ name: topic, topicId, partitions });
  }
  return { groupId, topics };
}

async function fetchOf(wire: Wire, groupId: string, asked: Asked | null, version: number = wire.version) {
  if (version < 8) {
    return {
      groupId,
      topics: asked?.map(([name, partitionIndexes]) => ({ name, partitionIndexes })) ?? null,
    };
  }
  const topics = [];
  for (const [name, partitionIndexes] of asked ?? []) {
    topics.push({ name, topicId: await idOf(wire, name, version), partitionIndexes });
  }
  return { groups: [{ groupId, topics: asked ? topics : null }] };
}

/** Older versions have no ids. */
async function idOf(wire: Wire, topic: string, version: number): Promise<string> {
  const isKnown = topic === fixtures.orders && version >= 10;
  return isKnown ? await wire.topicId(topic) : unknownTopicId;
}
