import { expect, test } from "vitest";
import { uniqueName, useBroker } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { createTopic, readMessages, withAdmin, withConsumer, withProducer } from "./platformatic-client.ts";

const broker = useBroker();
// Kafka's numbers for kinds of resource and for what IncrementalAlterConfigs does.
const topicResource = 2 as const;
const brokerResource = 4 as const;
const [set, remove, append, subtract] = [0, 1, 2, 3] as const;

test("topics are created with an id and what they will be, listed, grown and deleted", async () => {
  const topic = uniqueName("topic");
  await withAdmin(broker.bootstrapServers, async (admin) => {
    const [created] = await admin.createTopics({
      topics: [topic],
      partitions: 3,
      replicas: 1,
      configs: [{ name: "retention.ms", value: "60000" }],
    });
    expect(created).toMatchObject({ name: topic, partitions: 3, replicas: 1 });
    expect(created?.configuration).toMatchObject({ "retention.ms": "60000" });
    expect(created?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    expect(await admin.listTopics()).toContain(topic);

    const metadata = await admin.metadata({ topics: [topic], forceUpdate: true });
    expect(metadata.topics.get(topic)).toMatchObject({ id: created?.id, partitionsCount: 3 });
    await expect(admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 })).rejects.toThrow();

    await admin.createPartitions({ topics: [{ name: topic, count: 5 }] });
    await waitUntil("five partitions", async () => {
      const grown = await admin.metadata({ topics: [topic], forceUpdate: true });
      return grown.topics.get(topic)?.partitionsCount === 5;
    });
    await admin.deleteTopics({ topics: [topic] });
    await waitUntil("the topic's end", async () => !(await admin.listTopics()).includes(topic));
  });
});

test("a topic created anew has another id", async () => {
  const topic = uniqueName("topic");
  await withAdmin(broker.bootstrapServers, async (admin) => {
    const options = { topics: [topic], partitions: 1, replicas: 1 };
    const [first] = await admin.createTopics(options);
    await admin.deleteTopics({ topics: [topic] });
    await waitUntil("the topic's end", async () => !(await admin.listTopics()).includes(topic));
    const [second] = await admin.createTopics(options);
    expect(second?.id).not.toBe(first?.id);
  });
});

test("a group is listed by state and described with its members' assignments", async () => {
  const topic = await createTopic(broker.bootstrapServers, { partitions: 2 });
  const groupId = uniqueName("group");
  await withConsumer(
    broker.bootstrapServers,
    async (consumer) => {
      await consumer.consume({ topics: [topic], mode: "latest" });
      await withAdmin(broker.bootstrapServers, async (admin) => {
        const stable = await admin.listGroups({ states: ["STABLE"], types: ["classic"] });
        expect(stable.get(groupId)).toMatchObject({
          id: groupId,
          groupType: "classic",
          protocolType: "consumer",
        });
        const empty = await admin.listGroups({ states: ["EMPTY"], types: ["classic"] });
        expect(empty.has(groupId)).toBe(false);
        const group = (await admin.describeGroups({ groups: [groupId] })).get(groupId);
        expect(group).toMatchObject({ id: groupId, protocolType: "consumer", protocol: "roundrobin" });
        const [member] = [...(group?.members.values() ?? [])];
        expect(member?.clientId).toBe("millrace-platformatic-test");
        expect(member?.assignments?.get(topic)?.partitions).toEqual([0, 1]);
      });
    },
    groupId,
  );
});

test("a group's offsets are listed, altered and deleted, and the group is deleted", async () => {
  const topic = await createTopic(broker.bootstrapServers);
  const groupId = uniqueName("group");
  await withProducer(broker.bootstrapServers, (producer) =>
    producer.send({ acks: -1, messages: [1, 2, 3].map((number) => ({ topic, value: String(number) })) }),
  );
  await readMessages(broker.bootstrapServers, { topic, count: 3, groupId });
  await withAdmin(broker.bootstrapServers, async (admin) => {
    const committed = async () => {
      const [group] = await admin.listConsumerGroupOffsets({ groups: [groupId] });
      return group?.topics.find(({ name }) => name === topic)?.partitions[0]?.committedOffset;
    };
    expect(await committed()).toBe(3n);
    await admin.alterConsumerGroupOffsets({
      groupId,
      topics: [{ name: topic, partitionOffsets: [{ partition: 0, offset: 1n }] }],
    });
    expect(await committed()).toBe(1n);
    await admin.deleteConsumerGroupOffsets({ groupId, topics: [{ name: topic, partitionIndexes: [0] }] });
    expect(await committed()).toBeUndefined();
    if ((await admin.listGroups()).has(groupId)) await admin.deleteGroups({ groups: [groupId] });
    expect((await admin.listGroups()).has(groupId)).toBe(false);
  });
});

test("configs are described with types and documentation, and altered one by one", async () => {
  const topic = await createTopic(broker.bootstrapServers, {
    configs: [{ name: "retention.ms", value: "60000" }],
  });
  await withAdmin(broker.bootstrapServers, async (admin) => {
    const configsOf = async () => {
      const resources = [{ resourceType: topicResource, resourceName: topic } as const];
      const [described] = await admin.describeConfigs({
        resources,
        includeSynonyms: true,
        includeDocumentation: true,
      });
      return new Map(described?.configs.map((config) => [config.name, config]));
    };
    const before = await configsOf();
    // Types as in Kafka's ConfigType: 5 is long, 7 is list.
    expect(before.get("retention.ms")).toMatchObject({ value: "60000", configSource: 1, configType: 5 });
    expect(before.get("cleanup.policy")).toMatchObject({ value: "delete", configSource: 5, configType: 7 });
    expect(before.get("retention.ms")?.documentation).toBeTruthy();

    type Change =
      | { name: string; configOperation: 0 | 2 | 3; value: string }
      | { name: string; configOperation: 1 };
    const change = (config: Change) =>
      admin.incrementalAlterConfigs({
        resources: [{ resourceType: topicResource, resourceName: topic, configs: [config] }],
      });
    await change({ name: "max.message.bytes", configOperation: set, value: "5000" });
    await change({ name: "cleanup.policy", configOperation: append, value: "compact" });
    await change({ name: "retention.ms", configOperation: remove });
    const after = await configsOf();
    expect(after.get("max.message.bytes")?.value).toBe("5000");
    expect(after.get("cleanup.policy")?.value?.split(",").toSorted()).toEqual(["compact", "delete"]);
    expect(after.get("retention.ms")).toMatchObject({ value: "604800000", configSource: 5 });
    await change({ name: "cleanup.policy", configOperation: subtract, value: "delete" });
    expect((await configsOf()).get("cleanup.policy")?.value).toBe("compact");
    await expect(change({ name: "no.such.config", configOperation: set, value: "1" })).rejects.toThrow();
  });
});

test("the broker's own configs are described", async () => {
  await withAdmin(broker.bootstrapServers, async (admin) => {
    const metadata = await admin.metadata({ forceUpdate: true });
    const [nodeId] = [...metadata.brokers.keys()];
    const resources = [{ resourceType: brokerResource, resourceName: String(nodeId) } as const];
    const [described] = await admin.describeConfigs({
      resources,
      includeSynonyms: false,
      includeDocumentation: false,
    });
    const configs = new Map(described?.configs.map((config) => [config.name, config]));
    expect(configs.get("num.partitions")?.value).toBe("1");
    expect(configs.get("node.id")?.readOnly).toBe(true);
  });
});

test("records are deleted and the new start of the log is answered", async () => {
  const topic = await createTopic(broker.bootstrapServers);
  await withProducer(broker.bootstrapServers, (producer) =>
    producer.send({ acks: -1, messages: [1, 2, 3, 4].map((number) => ({ topic, value: String(number) })) }),
  );
  await withAdmin(broker.bootstrapServers, async (admin) => {
    const deleteBefore = (offset: bigint) =>
      admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset }] }] });
    expect(await deleteBefore(2n)).toEqual([
      { name: topic, partitions: [{ partition: 0, lowWatermark: 2n }] },
    ]);
    await expect(deleteBefore(99n)).rejects.toThrow();
    const [listed] = await admin.listOffsets({
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -2n }] }],
    });
    expect(listed?.partitions[0]).toMatchObject({ offset: 2n });
  });
});

test("the log directory is described with the size of each partition", async () => {
  const topic = await createTopic(broker.bootstrapServers, { partitions: 2 });
  await withProducer(broker.bootstrapServers, (producer) =>
    producer.send({ acks: -1, messages: [{ topic, partition: 0, value: "x".repeat(10_000) }] }),
  );
  await withAdmin(broker.bootstrapServers, async (admin) => {
    const [description] = await admin.describeLogDirs({ topics: [{ name: topic, partitions: [0, 1] }] });
    const [directory] = description?.results ?? [];
    const partitions = directory?.topics.find(({ name }) => name === topic)?.partitions ?? [];
    const sizes = new Map(
      partitions.map(({ partitionIndex, partitionSize }) => [partitionIndex, partitionSize]),
    );
    expect(Number(sizes.get(0))).toBeGreaterThan(10_000);
    expect(Number(sizes.get(1))).toBe(0);
  });
});

test("the coordinator of several groups is found with one request", async () => {
  await withAdmin(broker.bootstrapServers, async (admin) => {
    const groups = [uniqueName("group"), uniqueName("group")];
    const found = await admin.findCoordinator({ keyType: 0, keys: groups });
    expect(found.map(({ key }) => key).toSorted()).toEqual(groups.toSorted());
    expect(new Set(found.map(({ host, port }) => `${host}:${port}`))).toEqual(
      new Set([broker.bootstrapServers]),
    );
  });
});
