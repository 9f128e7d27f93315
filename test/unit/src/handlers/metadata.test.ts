import { expect, test } from "vitest";
import { zeroUuid } from "#protocol/bytes/uuid.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { BrokerWorld } from "../broker-world.ts";

const asked = (name: string | null, topicId = zeroUuid) => ({ name, topicId });

test("an empty list asks for all topics in v0 and for none afterwards (trap 13)", async () => {
  await using world = await BrokerWorld.start();
  await world.createTopic("t");
  const all = await world.call(Metadata, 0, { topics: [] });
  expect(all.topics.map(({ name }) => name)).toEqual(["t"]);
  expect((await world.call(Metadata, 1, { topics: [] })).topics).toEqual([]);
  expect((await world.call(Metadata, 1, { topics: null })).topics).toHaveLength(1);
});

test("tells the cluster, a live controller and where the broker is", async () => {
  await using world = await BrokerWorld.start();
  const { clusterId, controllerId, brokers } = await world.call(Metadata, 12, { topics: [] });
  expect(clusterId).toHaveLength(22);
  expect(brokers).toMatchObject([{ host: "127.0.0.1", port: 9092 }]);
  expect(brokers.map(({ nodeId }) => nodeId)).toContain(controllerId);
});

test("a topic that is mentioned is made, unless the client says otherwise (trap 14)", async () => {
  await using world = await BrokerWorld.start();
  const refused = await world.call(Metadata, 9, { topics: [asked("new")], allowAutoTopicCreation: false });
  expect(refused.topics[0]?.errorCode).toBe(ErrorCode.unknownTopicOrPartition);
  const made = await world.call(Metadata, 9, { topics: [asked("new")], allowAutoTopicCreation: true });
  expect(made.topics[0]).toMatchObject({ errorCode: 0, partitions: [{ leaderId: 1, errorCode: 0 }] });
  const old = await world.call(Metadata, 3, { topics: [asked("older")] });
  expect(old.topics[0]?.errorCode).toBe(0);
});

test("an impossible name is told and no topic made of it", async () => {
  await using world = await BrokerWorld.start();
  const { topics } = await world.call(Metadata, 9, { topics: [asked("no topic!")] });
  expect(topics[0]?.errorCode).toBe(ErrorCode.invalidTopicException);
  expect(world.broker.metadata.image.topics.size).toBe(0);
});

test("an unknown id is told as such from v12 on", async () => {
  await using world = await BrokerWorld.start();
  const topicId = "AMX-PcEnUmk_JrmTIEMMnw";
  const { topics } = await world.call(Metadata, 12, { topics: [asked(null, topicId)] });
  expect(topics[0]).toMatchObject({ errorCode: ErrorCode.unknownTopicId, name: null, topicId });
});

test("v10 and v11 cannot answer by id: every topic is refused, the connection lives", async () => {
  await using world = await BrokerWorld.start();
  await world.createTopic("t");
  for (const version of [10, 11]) {
    const { topics } = await world.call(Metadata, version, { topics: [asked("t"), asked(null)] });
    expect(topics).toMatchObject([
      { errorCode: ErrorCode.invalidRequest, name: "t" },
      { errorCode: ErrorCode.invalidRequest, name: "" },
    ]);
  }
});
