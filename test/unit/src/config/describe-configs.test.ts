import { describe, expect, test } from "vitest";
import { brokerConfigs } from "#src/config/broker-configs.ts";
import { type ConfigEntry, type ConfigQuery, ConfigSource, configTypeIds } from "#src/config/config-entry.ts";
import {
  describeBrokerConfigs,
  describeClusterDefaults,
  describeGroupConfigs,
  describeTopicConfigs,
} from "#src/config/describe-configs.ts";
import { groupConfigs } from "#src/config/group-configs.ts";
import { topicConfigs } from "#src/config/topic-configs.ts";

const everything: ConfigQuery = { names: null, includeSynonyms: true, includeDocumentation: true };

describe("a topic's configs", () => {
  test("are all described, with default, source and type", () => {
    const entries = describeTopicConfigs({ overrides: new Map(), layers: layers({}) }, everything);
    expect(entries.map(({ name }) => name)).toEqual([...topicConfigs.keys()]);
    for (const entry of entries) {
      const definition = topicConfigs.get(entry.name);
      expect(entry).toMatchObject({
        value: entry.name === "min.cleanable.dirty.ratio" ? "0.5" : definition?.defaultValue,
        configSource: ConfigSource.default,
        isDefault: true,
        readOnly: false,
        isSensitive: false,
        configType: definition && configTypeIds[definition.type],
      });
    }
  });

  test("name every place of a value, the strongest first, as Kafka lists them", () => {
    const entry = describeTopic("cleanup.policy", {
      overrides: { "cleanup.policy": " compact , delete " },
      clusterDefault: { "log.cleanup.policy": "delete" },
      static: { "log.cleanup.policy": "compact" },
    });
    expect(entry).toMatchObject({
      value: "compact,delete",
      configSource: ConfigSource.topic,
      isDefault: false,
    });
    expect(entry.synonyms).toEqual([
      { name: "cleanup.policy", value: "compact,delete", source: 1 },
      { name: "log.cleanup.policy", value: "delete", source: 3 },
      { name: "log.cleanup.policy", value: "compact", source: 4 },
      { name: "log.cleanup.policy", value: "delete", source: 5 },
    ]);
  });

  test("take the broker's own change before the cluster's, and that before the start's", () => {
    const all = {
      perBroker: { "log.segment.bytes": "2097152" },
      clusterDefault: { "log.segment.bytes": "3145728" },
      static: { "log.segment.bytes": "4194304" },
    };
    expect(describeTopic("segment.bytes", all)).toMatchObject({ value: "2097152", configSource: 2 });
    expect(describeTopic("segment.bytes", { ...all, perBroker: {} })).toMatchObject({
      value: "3145728",
      configSource: 3,
    });
    expect(describeTopic("segment.bytes", { static: all.static })).toMatchObject({
      value: "4194304",
      configSource: 4,
    });
  });

  test("show synonyms of other units behind the first, and none before it", () => {
    const withMs = describeTopic("retention.ms", {
      clusterDefault: { "log.retention.ms": "9999999" },
      static: { "log.retention.minutes": "20000" },
    });
    expect(withMs.synonyms).toEqual([
      { name: "log.retention.ms", value: "9999999", source: 3 },
      { name: "log.retention.minutes", value: "20000", source: 4 },
      { name: "log.retention.hours", value: "168", source: 5 },
    ]);
    const minutesOnly = describeTopic("retention.ms", { static: { "log.retention.minutes": "2" } });
    expect(minutesOnly).toMatchObject({ value: "120000", configSource: ConfigSource.default, synonyms: [] });
  });

  test("are described by name; a name that does not exist is left out, a repeated one told once", () => {
    const query = { ...everything, names: ["retention.ms", "nope", "retention.ms"] };
    const entries = describeTopicConfigs({ overrides: new Map(), layers: layers({}) }, query);
    expect(entries.map(({ name }) => name)).toEqual(["retention.ms"]);
    const all = describeTopicConfigs(
      { overrides: new Map(), layers: layers({}) },
      { ...everything, names: [] },
    );
    expect(all).toHaveLength(topicConfigs.size);
  });

  test("come without synonyms and documentation unless asked for", () => {
    const query = { names: ["retention.ms"], includeSynonyms: false, includeDocumentation: false };
    const overrides = new Map([["retention.ms", "77"]]);
    expect(describeTopicConfigs({ overrides, layers: layers({}) }, query)).toEqual([
      {
        name: "retention.ms",
        value: "77",
        readOnly: false,
        isDefault: false,
        configSource: 1,
        isSensitive: false,
        synonyms: [],
        configType: 5,
        documentation: null,
      },
    ]);
  });
});

describe("a broker's configs", () => {
  test("are all described; what cannot change at run time is read-only", () => {
    const entries = describeBrokerConfigs(layers({}), everything);
    expect(entries.map(({ name }) => name)).toEqual([...brokerConfigs.keys()]);
    for (const entry of entries) {
      expect(entry.readOnly).toBe(brokerConfigs.get(entry.name)?.updateMode === "read-only");
      expect(entry.configSource).toBe(ConfigSource.default);
    }
  });

  test("never show a password, set or not, nor through its synonyms", () => {
    const entry = describeBroker("ssl.keystore.password", { static: { "ssl.keystore.password": "hush" } });
    expect(entry).toMatchObject({ value: null, isSensitive: true, configSource: 4, configType: 9 });
    expect(entry.synonyms).toEqual([{ name: "ssl.keystore.password", value: null, source: 4 }]);
    expect(JSON.stringify(entry)).not.toContain("hush");
  });

  test("show the largest double as Java writes it", () => {
    const entry = describeBroker("log.cleaner.io.max.bytes.per.second", {});
    expect(entry.value).toBe("1.7976931348623157E308");
    expect(entry.synonyms[0]?.value).toBe("1.7976931348623157E308");
  });

  test("have no synonym where they are unset", () => {
    expect(describeBroker("log.flush.interval.ms", {})).toMatchObject({
      value: null,
      configSource: 5,
      synonyms: [],
    });
  });

  test("include the throttles of Kafka's reassignment tool once they are set", () => {
    const facts = { perBroker: { "leader.replication.throttled.rate": "1000" } };
    expect(describeBroker("leader.replication.throttled.rate", facts)).toMatchObject({
      value: "1000",
      configSource: 2,
    });
  });
});

test("the cluster's defaults describe what was set for all brokers, and nothing else", () => {
  const facts = layers({
    perBroker: { "log.segment.bytes": "2097152" },
    clusterDefault: { "log.retention.ms": "5", "message.max.bytes": "2000000" },
    static: { "log.retention.ms": "7" },
  });
  const entries = describeClusterDefaults(facts, everything);
  expect(entries.map(({ name, value, synonyms }) => ({ name, value, synonyms }))).toEqual([
    { name: "log.retention.ms", value: "5", synonyms: [{ name: "log.retention.ms", value: "5", source: 3 }] },
    {
      name: "message.max.bytes",
      value: "2000000",
      synonyms: [{ name: "message.max.bytes", value: "2000000", source: 3 }],
    },
  ]);
  expect(
    describeClusterDefaults(facts, { ...everything, names: ["log.retention.ms", "node.id"] }),
  ).toHaveLength(1);
});

describe("a group's configs", () => {
  test("are all described", () => {
    const entries = describeGroupConfigs({ overrides: new Map(), layers: layers({}) }, everything);
    expect(entries.map(({ name, value }) => [name, value])).toEqual(
      [...groupConfigs.values()].map(({ name, defaultValue }) => [name, defaultValue]),
    );
  });

  test("come from the group, else from the broker's configs behind group.", () => {
    const facts = layers({ static: { "group.consumer.session.timeout.ms": "46000" } });
    const query = { ...everything, names: ["consumer.session.timeout.ms", "share.isolation.level"] };
    const [session, isolation] = describeGroupConfigs(
      { overrides: new Map([["consumer.session.timeout.ms", "50000"]]), layers: facts },
      query,
    );
    expect(session).toMatchObject({ value: "50000", configSource: ConfigSource.group });
    expect(session?.synonyms).toEqual([
      { name: "consumer.session.timeout.ms", value: "50000", source: 8 },
      { name: "group.consumer.session.timeout.ms", value: "46000", source: 4 },
      { name: "group.consumer.session.timeout.ms", value: "45000", source: 5 },
    ]);
    expect(isolation?.synonyms).toEqual([
      { name: "share.isolation.level", value: "read_uncommitted", source: 5 },
    ]);
  });
});

interface Facts {
  readonly overrides?: Record<string, string>;
  readonly perBroker?: Record<string, string>;
  readonly clusterDefault?: Record<string, string>;
  readonly static?: Record<string, string>;
}

function layers(facts: Facts) {
  const map = (texts: Record<string, string> = {}) => new Map(Object.entries(texts));
  return {
    perBroker: map(facts.perBroker),
    clusterDefault: map(facts.clusterDefault),
    static: map(facts.static),
  };
}

function describeTopic(name: string, facts: Facts): ConfigEntry {
  const overrides = new Map(Object.entries(facts.overrides ?? {}));
  return only(describeTopicConfigs({ overrides, layers: layers(facts) }, { ...everything, names: [name] }));
}

function describeBroker(name: string, facts: Facts): ConfigEntry {
  return only(describeBrokerConfigs(layers(facts), { ...everything, names: [name] }));
}

function only(entries: readonly ConfigEntry[]): ConfigEntry {
  const [entry] = entries;
  if (!entry || entries.length !== 1) throw new Error(`Expected one entry, got ${entries.length}`);
  return entry;
}
