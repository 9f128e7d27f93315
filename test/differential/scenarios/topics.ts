import { CreatePartitions } from "#protocol/messages/create-partitions.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { requests, type Scenario, scenario } from "../scenario.ts";
import type { Wire } from "../wire.ts";
import { fixtures, unknownTopicId } from "./fixtures.ts";

const timeoutMs = 10_000;

/** Making, growing and removing topics. */
export const topicScenarios: readonly Scenario[] = [
  ...creations({
    "one partition": (name) => ({ name, numPartitions: 1, replicationFactor: 1 }),
    "the broker's defaults": (name) => ({ name, numPartitions: -1, replicationFactor: -1 }),
    "no partitions": (name) => ({ name, numPartitions: 0, replicationFactor: 1 }),
    "less than no partitions": (name) => ({ name, numPartitions: -2, replicationFactor: 1 }),
    "too many partitions": (name) => ({ name, numPartitions: 10_001, replicationFactor: 1 }),
    "no replicas": (name) => ({ name, numPartitions: 1, replicationFactor: 0 }),
    "less than no replicas": (name) => ({ name, numPartitions: 1, replicationFactor: -2 }),
    "more replicas than brokers": (name) => ({ name, numPartitions: 1, replicationFactor: 2 }),
    "an empty name": () => ({ name: "", numPartitions: 1, replicationFactor: 1 }),
    "a bad name": () => ({ name: "bad name!", numPartitions: 1, replicationFactor: 1 }),
    "the name of this directory": () => ({ name: ".", numPartitions: 1, replicationFactor: 1 }),
    "a name that is too long": () => ({ name: "n".repeat(250), numPartitions: 1, replicationFactor: 1 }),
    "a name that is taken": () => ({ name: fixtures.orders, numPartitions: 1, replicationFactor: 1 }),
    "a name that collides": () => ({ name: "fixture.orders", numPartitions: 1, replicationFactor: 1 }),
    "an underscore for a dash": () => ({ name: "fixture_orders", numPartitions: 0, replicationFactor: 1 }),
    "a bad name and no partitions": () => ({ name: "bad name!", numPartitions: 0, replicationFactor: 1 }),
    "a taken name and no partitions": () => ({
      name: fixtures.orders,
      numPartitions: 0,
      replicationFactor: 1,
    }),
    "an internal name": () => ({ name: "__consumer_offsets", numPartitions: 1, replicationFactor: 1 }),
    "the name of the metadata topic": () => ({
      name: "__cluster_metadata",
      numPartitions: 1,
      replicationFactor: 1,
    }),
    "a config": (name) => withConfigs(name, [["retention.ms", "1000"]]),
    "several configs": (name) =>
      withConfigs(name, [
        ["retention.ms", "1000"],
        ["cleanup.policy", "compact,delete"],
      ]),
    "a config with blanks": (name) => withConfigs(name, [["retention.ms", " 1000 "]]),
    "an unknown config": (name) => withConfigs(name, [["no.such.config", "1"]]),
    "a config that is no number": (name) => withConfigs(name, [["retention.ms", "soon"]]),
    "a config out of range": (name) => withConfigs(name, [["segment.bytes", "1"]]),
    "a config that is no choice": (name) => withConfigs(name, [["cleanup.policy", "burn"]]),
    "an empty list config": (name) => withConfigs(name, [["cleanup.policy", ""]]),
    "a null config": (name) => withConfigs(name, [["retention.ms", null]]),
    "a config twice": (name) =>
      withConfigs(name, [
        ["retention.ms", "1"],
        ["retention.ms", "2"],
      ]),
    "a config of the broker": (name) => withConfigs(name, [["log.retention.ms", "1"]]),
    "a boolean config": (name) => withConfigs(name, [["preallocate", "TRUE"]]),
    "a boolean config that is none": (name) => withConfigs(name, [["preallocate", "yes"]]),
    "configs that contradict": (name) =>
      withConfigs(name, [
        ["min.compaction.lag.ms", "10"],
        ["max.compaction.lag.ms", "5"],
      ]),
    "local retention above retention": (name) =>
      withConfigs(name, [
        ["retention.ms", "10"],
        ["local.retention.ms", "20"],
      ]),
    "min in sync above replicas": (name) => withConfigs(name, [["min.insync.replicas", "3"]]),
    "no in sync replicas": (name) => withConfigs(name, [["min.insync.replicas", "0"]]),
    "remote storage": (name) => withConfigs(name, [["remote.storage.enable", "true"]]),
    "a removed config": (name) => withConfigs(name, [["message.format.version", "3.0"]]),
    "throttled replicas": (name) => withConfigs(name, [["leader.replication.throttled.replicas", "0:1"]]),
    "throttled replicas that are none": (name) =>
      withConfigs(name, [["leader.replication.throttled.replicas", "x"]]),
    "a compression level out of range": (name) => withConfigs(name, [["compression.zstd.level", "99"]]),
    "replicas by hand": (name) =>
      assigned(name, [
        [0, [1]],
        [1, [1]],
      ]),
    "replicas by hand with counts": (name) => ({
      ...assigned(name, [[0, [1]]]),
      numPartitions: 1,
      replicationFactor: 1,
    }),
    "replicas by hand with a count of partitions": (name) => ({
      ...assigned(name, [[0, [1]]]),
      numPartitions: 1,
    }),
    "replicas by hand with a count of replicas": (name) => ({
      ...assigned(name, [[0, [1]]]),
      replicationFactor: 1,
    }),
    "replicas by hand with a gap": (name) =>
      assigned(name, [
        [0, [1]],
        [2, [1]],
      ]),
    "replicas by hand without the first": (name) => assigned(name, [[1, [1]]]),
    "replicas by hand of a negative partition": (name) => assigned(name, [[-1, [1]]]),
    "a partition twice by hand": (name) =>
      assigned(name, [
        [0, [1]],
        [0, [1]],
      ]),
    "no replicas by hand": (name) => assigned(name, [[0, []]]),
    "an unknown broker by hand": (name) => assigned(name, [[0, [7]]]),
    "one broker twice by hand": (name) => assigned(name, [[0, [1, 1]]]),
    "different counts by hand": (name) =>
      assigned(name, [
        [0, [1]],
        [1, [1, 7]],
      ]),
  }),
  ...requests(CreateTopics, {
    "no topics": { topics: [], timeoutMs },
    "a topic twice and another": (wire) => ({
      topics: ["twice", "twice", "once"].map((suffix) => ({
        name: wire.name(suffix),
        numPartitions: 1,
        replicationFactor: 1,
      })),
      timeoutMs,
    }),
    "one good, one bad": (wire) => ({
      topics: [
        { name: wire.name("good"), numPartitions: 2, replicationFactor: 1 },
        { name: "bad name!", numPartitions: 1, replicationFactor: 1 },
      ],
      timeoutMs,
    }),
    "two that collide with each other": (wire) => ({
      topics: [
        { name: wire.name("a.b"), numPartitions: 1, replicationFactor: 1 },
        { name: wire.name("a_b"), numPartitions: 1, replicationFactor: 1 },
      ],
      timeoutMs,
    }),
    "without time": (wire) => ({
      topics: [{ name: wire.name("late"), numPartitions: 1, replicationFactor: 1 }],
      timeoutMs: 0,
    }),
  }),

  ...requests(CreatePartitions, {
    "two more": async (wire) => growth(await wire.topic("t"), 3),
    "as many as there are": async (wire) => growth(await wire.topic("t"), 1),
    "fewer than there are": async (wire) => growth(await wire.topic("t", { partitions: 2 }), 1),
    none: async (wire) => growth(await wire.topic("t"), 0),
    "less than none": async (wire) => growth(await wire.topic("t"), -1),
    "of an unknown topic": growth(fixtures.unknown, 3),
    "of a bad name": growth("bad name!", 3),
    "of an internal topic": growth("__consumer_offsets", 1),
    "of an internal topic, to more": { ...growth("__consumer_offsets", 7), validateOnly: true },
    "by hand": async (wire) => growth(await wire.topic("t"), 2, [[1]]),
    "by hand, too few": async (wire) => growth(await wire.topic("t"), 3, [[1]]),
    "by hand, too many": async (wire) => growth(await wire.topic("t"), 2, [[1], [1]]),
    "by hand, none": async (wire) => growth(await wire.topic("t"), 2, []),
    "by hand, without replicas": async (wire) => growth(await wire.topic("t"), 2, [[]]),
    "by hand, to an unknown broker": async (wire) => growth(await wire.topic("t"), 2, [[7]]),
    "by hand, twice to one broker": async (wire) => growth(await wire.topic("t"), 2, [[1, 1]]),
    "no topics": { topics: [], timeoutMs },
    "a topic twice": async (wire) => {
      const name = await wire.topic("t");
      return {
        topics: [
          { name, count: 2, assignments: null },
          { name, count: 3, assignments: null },
        ],
        timeoutMs,
      };
    },
  }),
  scenario(CreatePartitions, "only validated", async (wire) => {
    const name = await wire.topic("t");
    await wire.send("validate", CreatePartitions, { ...growth(name, 2), validateOnly: true });
    await wire.send("grow", CreatePartitions, growth(name, 2));
    await wire.send("again", CreatePartitions, growth(name, 2));
  }),

  scenario(DeleteTopics, "a topic, and once more", async (wire) => {
    const name = await wire.topic("t");
    await wire.send("delete", DeleteTopics, deletion(wire, [name]));
    await wire.send("again", DeleteTopics, deletion(wire, [name]));
  }),
  ...requests(DeleteTopics, {
    "no topics": (wire) => deletion(wire, []),
    "an unknown topic": (wire) => deletion(wire, [fixtures.unknown]),
    "a bad name": (wire) => deletion(wire, ["bad name!"]),
    "an empty name": (wire) => deletion(wire, [""]),
    "a topic twice": async (wire) => {
      const name = await wire.topic("t");
      return deletion(wire, [name, name]);
    },
    "an unknown topic twice": (wire) => deletion(wire, [fixtures.unknown, fixtures.unknown]),
    "one good, one unknown": async (wire) => deletion(wire, [await wire.topic("t"), fixtures.unknown]),
  }),
  ...requests(
    DeleteTopics,
    {
      "by id": async (wire) => {
        const name = await wire.topic("t");
        return { topics: [{ name: null, topicId: await wire.topicId(name) }], timeoutMs };
      },
      "an unknown id": { topics: [{ name: null, topicId: unknownTopicId }], timeoutMs },
      "an unknown id twice": {
        topics: [
          { name: null, topicId: unknownTopicId },
          { name: null, topicId: unknownTopicId },
        ],
        timeoutMs,
      },
      "neither name nor id": { topics: [{ name: null }], timeoutMs },
      "name and id": async (wire) => {
        const name = await wire.topic("t");
        return { topics: [{ name, topicId: await wire.topicId(name) }], timeoutMs };
      },
      "a name and the id of the same topic": async (wire) => {
        const name = await wire.topic("t");
        const topicId = await wire.topicId(name);
        return { topics: [{ name }, { name: null, topicId }], timeoutMs };
      },
    },
    { since: 6 },
  ),
];

interface Creation {
  readonly name: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly assignments?: readonly { partitionIndex: number; brokerIds: readonly number[] }[];
  readonly configs?: readonly { name: string; value: string | null }[];
}

/** Each is validated first and then done, so that both judge alike. */
function creations(table: Readonly<Record<string, (name: string) => Creation>>): Scenario[] {
  return Object.entries(table).map(([title, make]) =>
    scenario(CreateTopics, title, async (wire) => {
      const topics = [make(wire.name("t"))];
      await wire.send("validate", CreateTopics, { topics, timeoutMs, validateOnly: true });
      await wire.send("create", CreateTopics, { topics, timeoutMs });
    }),
  );
}

function withConfigs(name: string, configs: readonly (readonly [string, string | null])[]): Creation {
  return {
    name,
    numPartitions: 1,
    replicationFactor: 1,
    configs: configs.map(([key, value]) => ({ name: key, value })),
  };
}

function assigned(name: string, assignments: readonly (readonly [number, readonly number[]])[]): Creation {
  return {
    name,
    numPartitions: -1,
    replicationFactor: -1,
    assignments: assignments.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
  };
}

function growth(name: string, count: number, replicas?: readonly (readonly number[])[]) {
  const assignments = replicas?.map((brokerIds) => ({ brokerIds })) ?? null;
  return { topics: [{ name, count, assignments }], timeoutMs };
}

function deletion(wire: Wire, names: readonly string[]) {
  if (wire.version < 6) return { topicNames: names, timeoutMs };
  return { topics: names.map((name) => ({ name })), timeoutMs };
}
