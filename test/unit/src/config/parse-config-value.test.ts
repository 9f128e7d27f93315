import { describe, expect, test } from "vitest";
import { brokerConfigs } from "#src/config/broker-configs.ts";
import { formatConfigValue, toSafeNumber } from "#src/config/config-value.ts";
import type { ConfigDefinition } from "#src/config/definition.ts";
import { groupConfigs } from "#src/config/group-configs.ts";
import { parseConfigValue } from "#src/config/parse-config-value.ts";
import { topicConfigs } from "#src/config/topic-configs.ts";

const tables = [...topicConfigs.values(), ...brokerConfigs.values(), ...groupConfigs.values()];

test.each(tables)("the default of $name passes its own validation", (definition) => {
  expect(parseConfigValue(definition, definition.defaultValue)).toMatchObject({ kind: "value" });
});

// Wordings as a running Kafka 4.3.1 gives them.
describe("a value that Kafka refuses is refused in Kafka's words", () => {
  test.each([
    ["retention.ms", "abc", "Invalid value abc for configuration retention.ms: Not a number of type LONG"],
    ["retention.ms", "", "Invalid value  for configuration retention.ms: Not a number of type LONG"],
    ["retention.ms", "-2", "Invalid value -2 for configuration retention.ms: Value must be at least -1"],
    [
      "retention.ms",
      "9223372036854775808",
      "Invalid value 9223372036854775808 for configuration retention.ms: Not a number of type LONG",
    ],
    [
      "delete.retention.ms",
      "1e3",
      "Invalid value 1e3 for configuration delete.retention.ms: Not a number of type LONG",
    ],
    [
      "segment.bytes",
      "10",
      "Invalid value 10 for configuration segment.bytes: Value must be at least 1048576",
    ],
    [
      "segment.bytes",
      "3000000000",
      "Invalid value 3000000000 for configuration segment.bytes: Not a number of type INT",
    ],
    [
      "cleanup.policy",
      "foo",
      "Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete",
    ],
    ["cleanup.policy", "compact,,delete", "Configuration 'cleanup.policy' values must not be empty."],
    [
      "compression.type",
      "brotli",
      "Invalid value brotli for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer",
    ],
    [
      "preallocate",
      "maybe",
      "Invalid value maybe for configuration preallocate: Expected value to be either true or false",
    ],
    [
      "min.cleanable.dirty.ratio",
      "2",
      "Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
    ],
    [
      "min.cleanable.dirty.ratio",
      "x",
      "Invalid value x for configuration min.cleanable.dirty.ratio: Not a number of type DOUBLE",
    ],
    [
      "compression.gzip.level",
      "0",
      "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1",
    ],
    [
      "compression.lz4.level",
      "18",
      "Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17",
    ],
  ])("%s = %j", (name, text, message) => {
    expect(parseConfigValue(topicConfig(name), text)).toEqual({ kind: "invalid", message });
  });

  test.each([
    [
      "listeners",
      "",
      "Configuration 'listeners' must not be empty. Valid values include: any non-empty value",
    ],
    [
      "process.roles",
      "",
      "Configuration 'process.roles' must not be empty. Valid values include: [broker, controller]",
    ],
    [
      "group.consumer.migration.policy",
      "x",
      "Invalid value x for configuration group.consumer.migration.policy: String must be one of (case insensitive): DISABLED, DOWNGRADE, UPGRADE, BIDIRECTIONAL",
    ],
    [
      "offsets.topic.replication.factor",
      "32768",
      "Invalid value 32768 for configuration offsets.topic.replication.factor: Not a number of type SHORT",
    ],
  ])("%s = %j", (name, text, message) => {
    expect(parseConfigValue(brokerConfig(name), text)).toEqual({ kind: "invalid", message });
  });
});

describe("a value that Kafka takes is taken", () => {
  test.each([
    ["retention.ms", " 5 ", 5n],
    ["delete.retention.ms", "+5", 5n],
    ["flush.ms", "9223372036854775807", 9223372036854775807n],
    ["preallocate", "TRUE", true],
    ["cleanup.policy", "", []],
    ["cleanup.policy", " compact , delete ", ["compact", "delete"]],
    ["cleanup.policy", "delete,delete", ["delete"]],
    ["compression.gzip.level", "-1", -1],
    ["min.cleanable.dirty.ratio", "0.5d", 0.5],
    ["follower.replication.throttled.replicas", "*", ["*"]],
    ["follower.replication.throttled.replicas", "0:1,1:2", ["0:1", "1:2"]],
  ])("%s = %j", (name, text, value) => {
    expect(parseConfigValue(topicConfig(name), text)).toEqual({ kind: "value", value });
  });
});

test("a list of replicas, of voters or of servers has its own form", () => {
  const kindOf = (definition: ConfigDefinition, text: string) => parseConfigValue(definition, text).kind;
  expect(kindOf(topicConfig("leader.replication.throttled.replicas"), "1")).toBe("invalid");
  expect(kindOf(brokerConfig("controller.quorum.voters"), "1@127.0.0.1:9093,2@[::1]:9094")).toBe("value");
  expect(kindOf(brokerConfig("controller.quorum.voters"), "127.0.0.1:9093")).toBe("invalid");
  expect(kindOf(brokerConfig("controller.quorum.bootstrap.servers"), "localhost:9093")).toBe("value");
  expect(kindOf(brokerConfig("controller.quorum.bootstrap.servers"), "localhost")).toBe("invalid");
});

test("a share group's reset takes a duration", () => {
  const definition = groupConfigs.get("share.auto.offset.reset");
  const kindOf = (text: string) => definition && parseConfigValue(definition, text).kind;
  for (const text of ["earliest", "latest", "by_duration:PT1H", "by_duration:P1DT2M3.5S"])
    expect(kindOf(text)).toBe("value");
  for (const text of ["", "foo", "by_duration:", "by_duration:P", "by_duration:PT", "by_duration:xx"]) {
    expect(kindOf(text)).toBe("invalid");
  }
});

test("an absurdly long number is refused without the work of reading it", () => {
  expect(parseConfigValue(topicConfig("retention.ms"), "1".repeat(1_000_000))).toMatchObject({
    kind: "invalid",
  });
});

test("values are written as Java writes them", () => {
  expect(formatConfigValue(0.5, "DOUBLE")).toBe("0.5");
  expect(formatConfigValue(2, "DOUBLE")).toBe("2.0");
  expect(formatConfigValue(Number.MAX_VALUE, "DOUBLE")).toBe("1.7976931348623157E308");
  expect(formatConfigValue(0.0001, "DOUBLE")).toBe("1.0E-4");
  expect(formatConfigValue(["a", "b"], "LIST")).toBe("a,b");
  expect(formatConfigValue(9223372036854775807n, "LONG")).toBe("9223372036854775807");
});

test("a LONG past 2^53 becomes the largest safe number", () => {
  expect(toSafeNumber(9223372036854775807n)).toBe(Number.MAX_SAFE_INTEGER);
  expect(toSafeNumber(-5n)).toBe(-5);
});

function topicConfig(name: string): ConfigDefinition {
  return definitionIn(topicConfigs, name);
}

function brokerConfig(name: string): ConfigDefinition {
  return definitionIn(brokerConfigs, name);
}

function definitionIn(table: ReadonlyMap<string, ConfigDefinition>, name: string): ConfigDefinition {
  const definition = table.get(name);
  if (!definition) throw new Error(`No config "${name}"`);
  return definition;
}
