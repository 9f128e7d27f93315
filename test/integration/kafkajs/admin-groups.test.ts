import kafkajs, { type Consumer, type Kafka } from "kafkajs";
import { expect, test } from "vitest";
import { uniqueName, useBroker } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { connectKafkajs, createTopic, readMessages, withAdmin, withProducer } from "./kafkajs-client.ts";

const broker = useBroker();

/** Runs with a group of one member that has joined. */
async function withMember<T>(
  kafka: Kafka,
  { groupId, topic }: { groupId: string; topic: string },
  use: (consumer: Consumer) => Promise<T>,
): Promise<T> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  let joined = false;
  consumer.on(consumer.events.GROUP_JOIN, () => {
    joined = true;
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ eachMessage: async () => undefined });
    await waitUntil("the group's first generation", () => joined);
    return await use(consumer);
  } finally {
    await consumer.disconnect();
  }
}

test("a group is listed and described while it has a member, and is empty afterwards", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 2 });
  const groupId = uniqueName("group");
  const describe = () => withAdmin(kafka, async (admin) => (await admin.describeGroups([groupId])).groups[0]);

  await withMember(kafka, { groupId, topic }, async () => {
    const { groups } = await withAdmin(kafka, (admin) => admin.listGroups());
    expect(groups).toContainEqual({ groupId, protocolType: "consumer" });
    const group = await describe();
    expect(group).toMatchObject({
      groupId,
      state: "Stable",
      protocolType: "consumer",
      protocol: "RoundRobinAssigner",
    });
    expect(group?.members).toHaveLength(1);
    const [member] = group?.members ?? [];
    expect(member).toMatchObject({
      clientId: "millrace-test",
      clientHost: expect.stringContaining("127.0.0.1"),
    });
    expect(member?.memberId).toMatch(/^millrace-test-[0-9a-f-]{36}$/);
    const assignment = kafkajs.AssignerProtocol.MemberAssignment.decode(
      member?.memberAssignment ?? Buffer.alloc(0),
    );
    expect(assignment?.assignment).toEqual({ [topic]: [0, 1] });
  });
  expect(await describe()).toMatchObject({ state: "Empty", members: [] });
});

test("a group that does not exist is described as dead", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const groupId = uniqueName("nobody");
  const { groups } = await withAdmin(kafka, (admin) => admin.describeGroups([groupId]));
  expect(groups).toMatchObject([{ groupId, state: "Dead", members: [] }]);
});

test("a group with members is not deleted; an empty one is, with its offsets", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka);
  await withProducer(kafka, (producer) => producer.send({ topic, messages: [{ value: "x" }] }));
  const groupId = uniqueName("group");
  await readMessages(kafka, { topic, count: 1, groupId });
  await withAdmin(kafka, async (admin) => {
    await withMember(kafka, { groupId, topic }, async () => {
      await expect(admin.deleteGroups([groupId])).rejects.toMatchObject({
        groups: [{ groupId, errorCode: 68, error: { type: "NON_EMPTY_GROUP" } }],
      });
    });
    expect(await admin.deleteGroups([groupId])).toMatchObject([{ groupId, errorCode: 0 }]);
    expect((await admin.listGroups()).groups.map((group) => group.groupId)).not.toContain(groupId);
    const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
    expect(offsets?.partitions[0]?.offset).toBe("-1");
  });
});

test("deleting a group that does not exist says so", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const groupId = uniqueName("nobody");
  await withAdmin(kafka, async (admin) => {
    await expect(admin.deleteGroups([groupId])).rejects.toMatchObject({
      groups: [{ groupId, errorCode: 69, error: { type: "GROUP_ID_NOT_FOUND" } }],
    });
  });
});
