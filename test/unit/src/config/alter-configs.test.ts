import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  alterConfigs,
  type ConfigOperation,
  type ConfigTarget,
  createTopicConfigs,
  incrementalAlterConfigs,
} from "#src/config/alter-configs.ts";
import { withDynamicConfigs } from "#src/config/broker-config.ts";
import { brokerConfigs } from "#src/config/broker-configs.ts";
import { noDynamicConfigs } from "#src/config/effective-values.ts";
import { loadBrokerConfig } from "#src/config/load-broker-config.ts";

const set = 0;
const remove = 1;
const append = 2;
const subtract = 3;

const layers = { ...noDynamicConfigs, static: new Map<string, string>() };
const topic: ConfigTarget = { kind: "topic" };
const broker: ConfigTarget = { kind: "broker", layers };
const clusterDefault: ConfigTarget = { kind: "clusterDefault", layers };
const group: ConfigTarget = { kind: "group", layers };

describe("IncrementalAlterConfigs of a topic", () => {
  test("sets and deletes, and leaves the rest", () => {
    const current = { "retention.ms": "1", "segment.ms": "2" };
    expect(
      alter(topic, current, [
        ["retention.ms", set, "5"],
        ["segment.ms", remove, null],
      ]),
    ).toEqual({ "retention.ms": "5" });
    expect(current).toEqual({ "retention.ms": "1", "segment.ms": "2" });
  });

  test("deletes what is not set, and what does not exist", () => {
    expect(
      alter(topic, {}, [
        ["segment.ms", remove, null],
        ["nope", remove, null],
      ]),
    ).toEqual({});
  });

  test("appends to a list what it lacks, beginning from the default", () => {
    expect(alter(topic, {}, [["cleanup.policy", append, "delete"]])).toEqual({ "cleanup.policy": "delete" });
    expect(alter(topic, {}, [["cleanup.policy", append, "compact"]])).toEqual({
      "cleanup.policy": "delete,compact",
    });
    expect(alter(topic, { "cleanup.policy": "" }, [["cleanup.policy", append, "compact, delete"]])).toEqual({
      "cleanup.policy": "compact,delete",
    });
  });

  test("subtracts from a list what it has, down to nothing", () => {
    const current = { "cleanup.policy": "compact,delete" };
    expect(alter(topic, current, [["cleanup.policy", subtract, "compact"]])).toEqual({
      "cleanup.policy": "delete",
    });
    expect(alter(topic, {}, [["cleanup.policy", subtract, "delete,compact"]])).toEqual({
      "cleanup.policy": "",
    });
  });

  // Codes and wordings as a running Kafka 4.3.1 gives them.
  test.each<[string, [string, number, string | null][], string, string]>([
    ["an unknown name", [["nope", set, "1"]], "INVALID_CONFIG", "Unknown topic config name: nope"],
    [
      "an invalid value",
      [["retention.ms", set, "abc"]],
      "INVALID_CONFIG",
      "Invalid value abc for configuration retention.ms: Not a number of type LONG",
    ],
    [
      "null for set",
      [
        ["retention.ms", set, null],
        ["segment.ms", append, null],
      ],
      "INVALID_REQUEST",
      "Null value not supported for : retention.ms, segment.ms",
    ],
    [
      "an append to a number",
      [["retention.ms", append, "1"]],
      "INVALID_CONFIG",
      "Can't APPEND to key retention.ms because its type is not LIST.",
    ],
    [
      "a subtraction from a number",
      [["retention.ms", subtract, "1"]],
      "INVALID_CONFIG",
      "Can't SUBTRACT to key retention.ms because its type is not LIST.",
    ],
    [
      "an append to nothing known",
      [["nope", append, "1"]],
      "INVALID_CONFIG",
      "Can't APPEND to key nope because its type is not LIST.",
    ],
    [
      "a name given twice",
      [
        ["retention.ms", set, "1"],
        ["retention.ms", remove, null],
      ],
      "INVALID_REQUEST",
      "Error due to duplicate config keys",
    ],
    ["an unknown operation", [["retention.ms", 9, "1"]], "INVALID_REQUEST", "Unknown operations type 9"],
    [
      "values that contradict each other",
      [
        ["min.compaction.lag.ms", set, "100"],
        ["max.compaction.lag.ms", set, "50"],
      ],
      "INVALID_CONFIG",
      "conflict topic config setting min.compaction.lag.ms (100) > max.compaction.lag.ms (50)",
    ],
    [
      "tiering, which is off",
      [["remote.storage.enable", set, "true"]],
      "INVALID_CONFIG",
      "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.",
    ],
  ])("refuses %s", (_, changes, error, message) => {
    expect(refuse(topic, {}, changes)).toEqual([error, message]);
  });

  test("refuses all operations where one fails, also for what another value makes of it", () => {
    expect(refuse(topic, { "max.compaction.lag.ms": "50" }, [["min.compaction.lag.ms", set, "51"]])[0]).toBe(
      "INVALID_CONFIG",
    );
    expect(
      refuse(topic, {}, [
        ["retention.ms", set, "5"],
        ["nope", set, "5"],
      ])[1],
    ).toBe("Unknown topic config name: nope");
  });

  test("set, delete, append and subtract agree with a model of sets", () => {
    const operation = fc.record({
      kind: fc.constantFrom(set, remove, append, subtract),
      items: fc.uniqueArray(fc.constantFrom("compact", "delete"), { minLength: 1 }),
    });
    fc.assert(
      fc.property(fc.array(operation), (steps) => {
        let texts: Record<string, string> = {};
        let model: Set<string> | undefined;
        for (const { kind, items } of steps) {
          texts = alter(topic, texts, [["cleanup.policy", kind, items.join(",")]]);
          const base = model ?? new Set(["delete"]);
          if (kind === set) model = new Set(items);
          else if (kind === remove) model = undefined;
          else if (kind === append) model = base.union(new Set(items));
          else model = base.difference(new Set(items));
          const text = texts["cleanup.policy"];
          expect(text === undefined ? undefined : new Set(text.split(",").filter(Boolean))).toEqual(model);
        }
      }),
    );
  });
});

describe("AlterConfigs", () => {
  test("replaces everything: what is not named returns to its default", () => {
    const change = alterConfigs(topic, [{ name: "segment.ms", value: "5000" }]);
    expect(change.kind === "changed" && [...change.texts]).toEqual([["segment.ms", "5000"]]);
    expect(alterConfigs(topic, [])).toEqual({ kind: "changed", texts: new Map() });
  });

  test("refuses null, repetition and unknown names", () => {
    expect(alterConfigs(topic, [{ name: "retention.ms", value: null }])).toMatchObject({
      error: "INVALID_REQUEST",
      message: "Null value not supported for : retention.ms",
    });
    const twice = ["1", "2"].map((value) => ({ name: "retention.ms", value }));
    expect(alterConfigs(topic, twice)).toMatchObject({ error: "INVALID_REQUEST" });
    expect(alterConfigs(topic, [{ name: "nope", value: "1" }])).toMatchObject({ error: "INVALID_CONFIG" });
  });
});

describe("CreateTopics", () => {
  test("takes the last of a repeated config", () => {
    const change = createTopicConfigs(["1", "2"].map((value) => ({ name: "retention.ms", value })));
    expect(change.kind === "changed" && [...change.texts]).toEqual([["retention.ms", "2"]]);
  });

  test("refuses null and unknown names as invalid configs", () => {
    expect(createTopicConfigs([{ name: "retention.ms", value: null }])).toMatchObject({
      error: "INVALID_CONFIG",
      message: "Null value not supported for topic configs: retention.ms",
    });
    expect(createTopicConfigs([{ name: "nope", value: "1" }])).toMatchObject({ error: "INVALID_CONFIG" });
  });
});

describe("a broker's configs", () => {
  test("change for one broker or for all, where their update mode lets them", () => {
    for (const target of [broker, clusterDefault]) {
      expect(alter(target, {}, [["log.retention.ms", set, "5000"]])).toEqual({ "log.retention.ms": "5000" });
      expect(alter(target, {}, [["leader.replication.throttled.rate", set, "1000"]])).toEqual({
        "leader.replication.throttled.rate": "1000",
      });
    }
    expect(alter(broker, {}, [["sasl.enabled.mechanisms", set, "PLAIN"]])).toEqual({
      "sasl.enabled.mechanisms": "PLAIN",
    });
    expect(alter(broker, {}, [["listener.name.plaintext.ssl.client.auth", set, "none"]])).toEqual({
      "listener.name.plaintext.ssl.client.auth": "none",
    });
  });

  test.each<[ConfigTarget, string, number, string, string, string]>([
    [
      broker,
      "num.partitions",
      set,
      "3",
      "INVALID_REQUEST",
      "Cannot update these configs dynamically: [num.partitions]",
    ],
    [
      clusterDefault,
      "node.id",
      set,
      "3",
      "INVALID_REQUEST",
      "Cannot update these configs dynamically: [node.id]",
    ],
    [
      clusterDefault,
      "log.dirs",
      append,
      "x",
      "INVALID_REQUEST",
      "Cannot update these configs dynamically: [log.dirs]",
    ],
    [
      broker,
      "listeners",
      set,
      "PLAINTEXT://:1",
      "INVALID_REQUEST",
      "Cannot update these configs dynamically: [listeners]",
    ],
    [
      broker,
      "millrace.storage",
      set,
      "memory",
      "INVALID_REQUEST",
      "Cannot update these configs dynamically: [millrace.storage]",
    ],
    [
      broker,
      "log.segment.bytes",
      set,
      "1",
      "INVALID_REQUEST",
      "Invalid value 1 for configuration log.segment.bytes: Value must be at least 1048576",
    ],
    [
      clusterDefault,
      "log.segment.bytes",
      set,
      "x",
      "INVALID_REQUEST",
      "Invalid value x for configuration log.segment.bytes: Not a number of type INT",
    ],
    [
      broker,
      "ssl.keystore.password",
      set,
      "x",
      "INVALID_REQUEST",
      "These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.password]",
    ],
    [
      clusterDefault,
      "sasl.jaas.config",
      set,
      "x",
      "INVALID_REQUEST",
      "Cannot update these configs at default cluster level, broker id must be specified: [sasl.jaas.config]",
    ],
    [
      broker,
      "log.retention.ms",
      append,
      "5",
      "INVALID_CONFIG",
      "Config value append is not allowed for config key: log.retention.ms",
    ],
    [broker, "nope", append, "5", "INVALID_CONFIG", "Unknown config name: nope"],
    [broker, "nope", set, "5", "INVALID_CONFIG", "Unknown config name: nope"],
    [
      broker,
      "log.retention.ms",
      set,
      "0",
      "INVALID_REQUEST",
      "Cannot use log.retention.ms 0: it must be -1 for never, or at least 1",
    ],
    [
      broker,
      "leader.replication.throttled.rate",
      set,
      "x",
      "INVALID_REQUEST",
      "Invalid value x for configuration leader.replication.throttled.rate: Not a number of type LONG",
    ],
  ])("refuse %j %s %i %s", (target, name, operation, value, error, message) => {
    expect(refuse(target, {}, [[name, operation, value]])).toEqual([error, message]);
  });
});

test("any operation on any config of a broker is taken or refused, and what is taken can be applied", () => {
  const loaded = loadBrokerConfig({ args: [], environment: {}, readFile: () => "" });
  if (loaded.kind !== "config") throw new Error("Expected a config");
  const value = fc.oneof(
    fc.string(),
    fc.integer().map(String),
    fc.constantFrom("true", "a,b", "delete", "gzip", null),
  );
  const change = fc.tuple(fc.constantFrom(...brokerConfigs.keys()), fc.integer({ min: 0, max: 4 }), value);
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), fc.boolean(), (changes, isPerBroker) => {
      const result = run(isPerBroker ? broker : clusterDefault, {}, changes);
      if (result.kind === "refused") return;
      const key = isPerBroker ? "perBroker" : "clusterDefault";
      withDynamicConfigs(loaded.config, { ...noDynamicConfigs, [key]: result.texts });
    }),
    { numRuns: 500 },
  );
});

describe("a group's configs", () => {
  test("change within the broker's bounds", () => {
    expect(alter(group, {}, [["consumer.session.timeout.ms", set, "50000"]])).toEqual({
      "consumer.session.timeout.ms": "50000",
    });
  });

  test.each([
    ["nope", "1", "Unknown group config name: nope"],
    [
      "consumer.session.timeout.ms",
      "x",
      "Invalid value x for configuration consumer.session.timeout.ms: Not a number of type INT",
    ],
    [
      "consumer.session.timeout.ms",
      "1",
      "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms",
    ],
    [
      "consumer.session.timeout.ms",
      "100000000",
      "consumer.session.timeout.ms must be less than or equal to group.consumer.max.session.timeout.ms",
    ],
    [
      "streams.num.standby.replicas",
      "3",
      "streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas",
    ],
    [
      "share.isolation.level",
      "x",
      "Invalid value x for configuration share.isolation.level: String must be one of: read_committed, read_uncommitted",
    ],
  ])("refuse %s = %s", (name, value, message) => {
    expect(refuse(group, {}, [[name, set, value]])).toEqual(["INVALID_CONFIG", message]);
  });
});

type Change = readonly [name: string, configOperation: number, value: string | null];

function run(target: ConfigTarget, current: Record<string, string>, changes: readonly Change[]) {
  const operations: ConfigOperation[] = changes.map(([name, configOperation, value]) => ({
    name,
    configOperation,
    value,
  }));
  return incrementalAlterConfigs(target, new Map(Object.entries(current)), operations);
}

function alter(target: ConfigTarget, current: Record<string, string>, changes: readonly Change[]) {
  const change = run(target, current, changes);
  if (change.kind === "refused") throw new Error(change.message);
  return Object.fromEntries(change.texts);
}

function refuse(target: ConfigTarget, current: Record<string, string>, changes: readonly Change[]) {
  const change = run(target, current, changes);
  if (change.kind === "changed") throw new Error("Expected a refusal");
  return [change.error, change.message];
}
