import kafkajs, { type Admin, type ConfigEntries, type ConfigResourceTypes } from "kafkajs";
import { expect, test } from "vitest";
import { useBroker } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { connectKafkajs, createTopic, withAdmin } from "./kafkajs-client.ts";

const { ConfigResourceTypes: resourceTypes, ConfigSource: source } = kafkajs;
const broker = useBroker();

async function describe(
  admin: Admin,
  resource: { type: ConfigResourceTypes; name: string; configNames?: string[] },
): Promise<Map<string, ConfigEntries>> {
  const { resources } = await admin.describeConfigs({ resources: [resource], includeSynonyms: true });
  expect(resources).toMatchObject([
    { errorCode: 0, resourceName: resource.name, resourceType: resource.type },
  ]);
  return new Map(resources[0]?.configEntries.map((entry) => [entry.configName, entry]));
}

test("a topic shows what was set at its creation, and defaults for the rest", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, {
    config: { "retention.ms": "123456", "cleanup.policy": "compact" },
  });
  await withAdmin(kafka, async (admin) => {
    const configs = await describe(admin, { type: resourceTypes.TOPIC, name: topic });
    expect(configs.get("retention.ms")).toMatchObject({
      configValue: "123456",
      isDefault: false,
      configSource: source.TOPIC_CONFIG,
      readOnly: false,
      isSensitive: false,
    });
    expect(configs.get("cleanup.policy")?.configValue).toBe("compact");
    expect(configs.get("segment.bytes")).toMatchObject({
      configValue: "1073741824",
      configSource: source.DEFAULT_CONFIG,
    });
    expect(configs.get("max.message.bytes")?.configValue).toBe("1048588");
    expect(configs.get("compression.type")?.configValue).toBe("producer");
    expect(configs.size).toBeGreaterThan(20);
  });
});

test("a topic's value names what it overrides", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { config: { "segment.bytes": "2000000" } });
  await withAdmin(kafka, async (admin) => {
    const configs = await describe(admin, {
      type: resourceTypes.TOPIC,
      name: topic,
      configNames: ["segment.bytes"],
    });
    expect([...configs.keys()]).toEqual(["segment.bytes"]);
    expect(configs.get("segment.bytes")?.configSynonyms).toEqual([
      { configName: "segment.bytes", configValue: "2000000", configSource: source.TOPIC_CONFIG },
      { configName: "log.segment.bytes", configValue: "1073741824", configSource: source.DEFAULT_CONFIG },
    ]);
  });
});

test("altering a topic's configs replaces all of them", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { config: { "retention.ms": "1000000" } });
  await withAdmin(kafka, async (admin) => {
    const alter = (configEntries: { name: string; value: string }[], validateOnly = false) =>
      admin.alterConfigs({
        validateOnly,
        resources: [{ type: resourceTypes.TOPIC, name: topic, configEntries }],
      });
    const describeTopic = () => describe(admin, { type: resourceTypes.TOPIC, name: topic });

    await alter([{ name: "max.message.bytes", value: "2000" }], true);
    expect((await describeTopic()).get("max.message.bytes")?.configValue).toBe("1048588");

    await alter([{ name: "max.message.bytes", value: "2000" }]);
    const configs = await describeTopic();
    expect(configs.get("max.message.bytes")).toMatchObject({
      configValue: "2000",
      configSource: source.TOPIC_CONFIG,
    });
    expect(configs.get("retention.ms")).toMatchObject({
      configValue: "604800000",
      configSource: source.DEFAULT_CONFIG,
    });

    await expect(alter([{ name: "retention.ms", value: "soon" }])).rejects.toMatchObject({
      type: "INVALID_CONFIG",
    });
    await expect(alter([{ name: "no.such.config", value: "1" }])).rejects.toMatchObject({
      type: "INVALID_CONFIG",
    });
    expect((await describeTopic()).get("max.message.bytes")?.configValue).toBe("2000");
  });
});

test("a broker shows its configs and where they come from", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  await withAdmin(kafka, async (admin) => {
    const { brokers } = await admin.describeCluster();
    const configs = await describe(admin, { type: resourceTypes.BROKER, name: String(brokers[0]?.nodeId) });
    expect(configs.get("group.initial.rebalance.delay.ms")).toMatchObject({
      configValue: "0",
      configSource: source.STATIC_BROKER_CONFIG,
      readOnly: true,
    });
    expect(configs.get("log.retention.hours")).toMatchObject({
      configValue: "168",
      configSource: source.DEFAULT_CONFIG,
    });
    expect(configs.get("message.max.bytes")).toMatchObject({ configValue: "1048588", readOnly: false });
    expect(configs.get("ssl.keystore.password")).toMatchObject({ isSensitive: true, configValue: null });
    expect(configs.size).toBeGreaterThan(100);
  });
});

test("a dynamic config of the broker takes effect on its topics and shows its source", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  await withAdmin(kafka, async (admin) => {
    const { brokers } = await admin.describeCluster();
    const resource = { type: resourceTypes.BROKER, name: String(brokers[0]?.nodeId) };
    const alter = (configEntries: { name: string; value: string }[]) =>
      admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] });
    const dynamic = { configValue: "7654321", configSource: source.DYNAMIC_BROKER_CONFIG };
    await alter([{ name: "log.retention.ms", value: "7654321" }]);
    // Apache Kafka applies it a moment after it answers.
    await waitUntil("the altered config", async () => {
      const altered = (await describe(admin, resource)).get("log.retention.ms");
      return altered?.configValue === dynamic.configValue && altered.configSource === dynamic.configSource;
    });
    await waitUntil("the topic's inherited config", async () => {
      const inherited = (await describe(admin, { type: resourceTypes.TOPIC, name: topic })).get(
        "retention.ms",
      );
      return (
        inherited?.configValue === dynamic.configValue && inherited.configSource === dynamic.configSource
      );
    });
    await alter([]);
    await waitUntil(
      "the default again",
      async () => (await describe(admin, resource)).get("log.retention.ms")?.configValue === null,
    );
  });
});
