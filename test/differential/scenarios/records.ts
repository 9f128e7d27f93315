import { CreatePartitions } from "#protocol/messages/create-partitions.ts";
import { DeleteRecords } from "#protocol/messages/delete-records.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { OffsetForLeaderEpoch } from "#protocol/messages/offset-for-leader-epoch.ts";
import type { RequestInput } from "#protocol/schema/api.ts";
import { requests, type Scenario, scenario } from "../scenario.ts";
import type { Wire } from "../wire.ts";
import { append, baseTimeMs, batch, fixtures, unknownTopicId } from "./fixtures.ts";

type FetchPartition = NonNullable<
  NonNullable<RequestInput<typeof Fetch>["topics"]>[number]["partitions"]
>[number];

/** Reading, finding and trimming records. */
export const recordScenarios: readonly Scenario[] = [
  ...fetches({
    "from the start": [fixtures.orders, { partition: 0, fetchOffset: 0 }],
    "from inside a batch": [fixtures.orders, { partition: 0, fetchOffset: 4 }],
    "a compressed batch": [fixtures.orders, { partition: 1, fetchOffset: 0 }],
    "an empty partition": [fixtures.orders, { partition: 2, fetchOffset: 0 }],
    "from the end": [fixtures.orders, { partition: 0, fetchOffset: 8 }],
    "past the end": [fixtures.orders, { partition: 0, fetchOffset: 9 }],
    "before the start": [fixtures.trimmed, { partition: 0, fetchOffset: 3 }],
    "from the start of a trimmed log": [fixtures.trimmed, { partition: 0, fetchOffset: 4 }],
    "from a negative offset": [fixtures.orders, { partition: 0, fetchOffset: -1 }],
    "from the greatest offset": [fixtures.orders, { partition: 0, fetchOffset: 2 ** 53 - 1 }],
    "an unknown topic": [fixtures.unknown, { partition: 0, fetchOffset: 0 }],
    "an unknown partition": [fixtures.orders, { partition: 9, fetchOffset: 0 }],
    "a negative partition": [fixtures.orders, { partition: -1, fetchOffset: 0 }],
    "less than the first batch": [fixtures.orders, { partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }],
    "no bytes": [fixtures.orders, { partition: 0, fetchOffset: 0, partitionMaxBytes: 0 }],
    "less than no bytes": [fixtures.orders, { partition: 0, fetchOffset: 0, partitionMaxBytes: -1 }],
    "a topic that stamps": [fixtures.stamped, { partition: 0, fetchOffset: 0 }],
  }),
  ...fetches(
    {
      "an old leader epoch": [fixtures.orders, { partition: 0, fetchOffset: 0, currentLeaderEpoch: -2 }],
      "a future leader epoch": [fixtures.orders, { partition: 0, fetchOffset: 0, currentLeaderEpoch: 999 }],
    },
    { since: 9 },
  ),
  ...fetches(
    {
      "a last epoch of the future": [
        fixtures.orders,
        { partition: 0, fetchOffset: 1, lastFetchedEpoch: 999 },
      ],
    },
    { since: 12 },
  ),
  ...requests(
    Fetch,
    {
      "the last epoch as it is": async (wire) => {
        const partition = { partition: 0, fetchOffset: 1, lastFetchedEpoch: wire.firstEpoch };
        return await fetchOf(wire, fixtures.orders, [{ ...partition, partitionMaxBytes: 1_000 }]);
      },
    },
    { since: 12 },
  ),
  ...requests(Fetch, {
    nothing: { maxWaitMs: 0, minBytes: 0, topics: [] },
    "two partitions, room for the first": async (wire) => ({
      ...(await fetchOf(wire, fixtures.orders, [
        { partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 },
        { partition: 1, fetchOffset: 0, partitionMaxBytes: 1_000 },
      ])),
      maxBytes: 1,
    }),
    "two partitions": async (wire) =>
      await fetchOf(wire, fixtures.orders, [
        { partition: 0, fetchOffset: 6, partitionMaxBytes: 10_000 },
        { partition: 1, fetchOffset: 0, partitionMaxBytes: 10_000 },
      ]),
    "one partition twice": async (wire) =>
      await fetchOf(wire, fixtures.orders, [
        { partition: 0, fetchOffset: 6, partitionMaxBytes: 10_000 },
        { partition: 0, fetchOffset: 3, partitionMaxBytes: 10_000 },
      ]),
    "no bytes at all": async (wire) => ({
      ...(await fetchOf(wire, fixtures.orders, [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }])),
      maxBytes: 0,
    }),
    "an unknown isolation level": async (wire) => ({
      ...(await fetchOf(wire, fixtures.orders, [{ partition: 1, fetchOffset: 0, partitionMaxBytes: 1_000 }])),
      isolationLevel: 7,
    }),
    "only what is committed": async (wire) => ({
      ...(await fetchOf(wire, fixtures.orders, [{ partition: 1, fetchOffset: 0, partitionMaxBytes: 1_000 }])),
      isolationLevel: 1,
    }),
    "a wait that ends empty": async (wire) => ({
      ...(await fetchOf(wire, fixtures.orders, [{ partition: 2, fetchOffset: 0, partitionMaxBytes: 1_000 }])),
      maxWaitMs: 20,
      minBytes: 1,
    }),
    "an error that does not wait": async (wire) => ({
      ...(await fetchOf(wire, fixtures.unknown, [
        { partition: 2, fetchOffset: 0, partitionMaxBytes: 1_000 },
      ])),
      maxWaitMs: 60_000,
      minBytes: 1,
    }),
  }),
  ...requests(
    Fetch,
    {
      "an unknown session": async (wire) => ({
        ...(await fetchOf(wire, fixtures.orders, [
          { partition: 1, fetchOffset: 0, partitionMaxBytes: 1_000 },
        ])),
        sessionId: 4_711,
        sessionEpoch: 1,
      }),
      "an end of an unknown session": async (wire) => ({
        ...(await fetchOf(wire, fixtures.orders, [
          { partition: 1, fetchOffset: 0, partitionMaxBytes: 1_000 },
        ])),
        sessionId: 4_711,
        sessionEpoch: -1,
      }),
      "no session at an epoch": async (wire) => ({
        ...(await fetchOf(wire, fixtures.orders, [
          { partition: 1, fetchOffset: 0, partitionMaxBytes: 1_000 },
        ])),
        sessionId: 0,
        sessionEpoch: 5,
      }),
      "a session wished for": async (wire) => ({
        ...(await fetchOf(wire, fixtures.orders, [
          { partition: 1, fetchOffset: 0, partitionMaxBytes: 1_000 },
        ])),
        sessionId: 0,
        sessionEpoch: 0,
      }),
    },
    { since: 7 },
  ),

  ...lookups({
    "the end": -1,
    "the start": -2,
    "the greatest timestamp": -3,
    "the local start": -4,
    "the end of what is tiered": -5,
    "the next to be tiered": -6,
    "an unknown special": -7,
    "time 0": 0,
    "the first record's time": baseTimeMs,
    "between batches": baseTimeMs + 500,
    "inside a compressed batch": baseTimeMs + 1_500,
    "the greatest time": baseTimeMs + 5_000,
    "after all": baseTimeMs + 5_001,
  }),
  ...requests(ListOffsets, {
    "an unknown topic": lookup(fixtures.unknown, { timestamp: -1 }),
    "an unknown partition": lookup(fixtures.orders, { partitionIndex: 9, timestamp: -1 }),
    "a negative partition": lookup(fixtures.orders, { partitionIndex: -1, timestamp: -1 }),
    "an empty partition": lookup(fixtures.orders, { partitionIndex: 2, timestamp: baseTimeMs }),
    "the end of an empty partition": lookup(fixtures.orders, { partitionIndex: 2, timestamp: -1 }),
    "the greatest timestamp of an empty partition": lookup(fixtures.orders, {
      partitionIndex: 2,
      timestamp: -3,
    }),
    "a compressed batch": lookup(fixtures.orders, { partitionIndex: 1, timestamp: baseTimeMs + 1 }),
    "the greatest timestamp of a compressed batch": lookup(fixtures.orders, {
      partitionIndex: 1,
      timestamp: -3,
    }),
    "the start of a trimmed log": lookup(fixtures.trimmed, { timestamp: -2 }),
    "a time in what was trimmed": lookup(fixtures.trimmed, { timestamp: baseTimeMs }),
    "the greatest timestamp of a trimmed log": lookup(fixtures.trimmed, { timestamp: -3 }),
    "time in a topic that stamps": lookup(fixtures.stamped, { timestamp: baseTimeMs }),
    "no topics": { replicaId: -1, topics: [] },
    "no partitions": { replicaId: -1, topics: [{ name: fixtures.orders, partitions: [] }] },
    "a partition twice": {
      replicaId: -1,
      topics: [
        {
          name: fixtures.orders,
          partitions: [
            { partitionIndex: 0, timestamp: -1 },
            { partitionIndex: 0, timestamp: -2 },
          ],
        },
      ],
    },
    "a replica": { ...lookup(fixtures.orders, { timestamp: -1 }), replicaId: 5 },
    "a debugging reader": { ...lookup(fixtures.orders, { timestamp: -1 }), replicaId: -2 },
  }),
  ...requests(
    ListOffsets,
    {
      "only what is committed": { ...lookup(fixtures.orders, { timestamp: -1 }), isolationLevel: 1 },
      "an unknown isolation level": { ...lookup(fixtures.orders, { timestamp: -1 }), isolationLevel: 9 },
    },
    { since: 2 },
  ),
  ...requests(
    ListOffsets,
    {
      "a future leader epoch": lookup(fixtures.orders, { timestamp: -1, currentLeaderEpoch: 999 }),
      "an old leader epoch": lookup(fixtures.orders, { timestamp: -1, currentLeaderEpoch: -2 }),
    },
    { since: 4 },
  ),

  ...requests(OffsetForLeaderEpoch, {
    "the first epoch": (wire) => epochOf(fixtures.orders, { leaderEpoch: wire.firstEpoch }),
    "a future epoch": epochOf(fixtures.orders, { leaderEpoch: 999 }),
    "a negative epoch": epochOf(fixtures.orders, { leaderEpoch: -1 }),
    "fenced by the future": epochOf(fixtures.orders, { leaderEpoch: 0, currentLeaderEpoch: 999 }),
    "an unknown topic": epochOf(fixtures.unknown, { leaderEpoch: 0 }),
    "an unknown partition": epochOf(fixtures.orders, { partition: 9, leaderEpoch: 0 }),
    "an empty partition": (wire) => epochOf(fixtures.orders, { partition: 2, leaderEpoch: wire.firstEpoch }),
    "no topics": { topics: [] },
  }),

  ...trims({
    "some records": 2,
    "up to the end": -1,
    "all by number": 3,
    "past the end": 4,
    "a negative offset": -2,
    nothing: 0,
  }),
  ...requests(DeleteRecords, {
    "an unknown topic": trim(fixtures.unknown, 0),
    "an unknown partition": trim(fixtures.orders, 0, 9),
    "a compacted topic": trim(fixtures.compacted, 0),
    "an internal topic": trim("__consumer_offsets", 0),
    "no topics": { topics: [], timeoutMs: 10_000 },
    "before the start": trim(fixtures.trimmed, 2),
  }),
  scenario(DeleteRecords, "one partition twice", async (wire) => {
    const name = await wire.topic("t");
    await append(wire, name, 0, batch(["a", "b", "c"]));
    const partitions = [
      { partitionIndex: 0, offset: 1 },
      { partitionIndex: 0, offset: 2 },
    ];
    await wire.send("trim", DeleteRecords, { topics: [{ name, partitions }], timeoutMs: 10_000 });
  }),
  scenario(ListOffsets, "a partition that is new", async (wire) => {
    const name = await wire.topic("t");
    const topics = [{ name, count: 2, assignments: null }];
    await wire.ask(CreatePartitions, { topics, timeoutMs: 10_000 });
    for (const timestamp of [-1, -2]) {
      await wire.send(`${timestamp}`, ListOffsets, lookup(name, { partitionIndex: 0, timestamp }));
    }
  }),
];

function fetches(
  table: Readonly<Record<string, readonly [topic: string, partition: FetchPartition]>>,
  bounds = {},
): Scenario[] {
  return Object.entries(table).flatMap(([name, [topic, partition]]) =>
    requests(
      Fetch,
      { [name]: async (wire) => await fetchOf(wire, topic, [{ partitionMaxBytes: 100_000, ...partition }]) },
      bounds,
    ),
  );
}

async function fetchOf(
  wire: Wire,
  topic: string,
  partitions: readonly FetchPartition[],
): Promise<RequestInput<typeof Fetch>> {
  const isById = wire.version >= 13;
  const topicId =
    topic === fixtures.unknown ? unknownTopicId : isById ? await wire.topicId(topic) : undefined;
  return { maxWaitMs: 0, minBytes: 0, topics: [{ topic, ...(topicId && { topicId }), partitions }] };
}

function lookups(table: Readonly<Record<string, number>>): Scenario[] {
  return Object.entries(table).flatMap(([name, timestamp]) =>
    requests(ListOffsets, { [name]: lookup(fixtures.orders, { timestamp }) }),
  );
}

function lookup(
  name: string,
  partition: { timestamp: number; partitionIndex?: number; currentLeaderEpoch?: number },
): RequestInput<typeof ListOffsets> {
  return { replicaId: -1, topics: [{ name, partitions: [{ partitionIndex: 0, ...partition }] }] };
}

function epochOf(
  topic: string,
  partition: { leaderEpoch: number; partition?: number; currentLeaderEpoch?: number },
): RequestInput<typeof OffsetForLeaderEpoch> {
  return { replicaId: -1, topics: [{ topic, partitions: [{ partition: 0, ...partition }] }] };
}

function trim(name: string, offset: number, partitionIndex = 0): RequestInput<typeof DeleteRecords> {
  return { topics: [{ name, partitions: [{ partitionIndex, offset }] }], timeoutMs: 10_000 };
}

function trims(table: Readonly<Record<string, number>>): Scenario[] {
  return Object.entries(table).map(([title, offset]) =>
    scenario(DeleteRecords, title, async (wire) => {
      const name = await wire.topic("t");
      await append(wire, name, 0, batch(["a", "b", "c"]));
      await wire.send("trim", DeleteRecords, trim(name, offset));
      await wire.send("again", DeleteRecords, trim(name, offset));
      await wire.send("start", ListOffsets, lookup(name, { timestamp: -2 }), { version: 7 });
    }),
  );
}
