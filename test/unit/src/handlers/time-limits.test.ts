import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { CreatePartitions } from "#protocol/messages/create-partitions.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { FindCoordinator } from "#protocol/messages/find-coordinator.ts";
import { IncrementalAlterConfigs } from "#protocol/messages/incremental-alter-configs.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { configsOf } from "#src/cluster/metadata/metadata-image.ts";
import { BrokerWorld } from "../broker-world.ts";
import { HeldDisk } from "../held-disk.ts";
import { isOfJournal } from "../journal-witness.ts";

/** `request.timeout.ms`, for requests that say nothing of their own. */
const requestTimeoutMs = 30_000;

/** A broker whose journal takes nothing more, with a topic "old" in it. */
async function stuckBroker() {
  const disk = new HeldDisk();
  const world = await BrokerWorld.start({ files: disk.files });
  await world.createTopic("old");
  disk.holds = isOfJournal;
  const letGo = async () => {
    disk.letAllGo();
    await world.clock.advance(1_000);
  };
  const isAnsweredAt = async (answer: Promise<unknown>, limitMs: number) => {
    let isAnswered = false;
    void answer.then(() => {
      isAnswered = true;
    });
    await world.clock.advance(limitMs - 1);
    expect(isAnswered, "before its time").toBe(false);
    await world.clock.advance(1);
    await world.clock.settle();
    expect(isAnswered, "at its time").toBe(true);
  };
  return {
    world,
    letGo,
    isAnsweredAt,
    [Symbol.asyncDispose]: async () => {
      disk.letAllGo();
      await world[Symbol.asyncDispose]();
    },
  };
}

const create = (world: BrokerWorld, name: string, timeoutMs: number, validateOnly = false) =>
  world.begin(CreateTopics, 7, {
    topics: [{ name, numPartitions: 1, replicationFactor: 1 }],
    timeoutMs,
    validateOnly,
  });
const remove = (world: BrokerWorld, name: string, timeoutMs: number) =>
  world.begin(DeleteTopics, 5, { topicNames: [name], timeoutMs });
const grow = (world: BrokerWorld, name: string, timeoutMs: number) =>
  world.begin(CreatePartitions, 3, {
    topics: [{ name, count: 3, assignments: null }],
    timeoutMs,
    validateOnly: false,
  });
const alter = (world: BrokerWorld, name: string, value: string) =>
  world.begin(IncrementalAlterConfigs, 1, {
    resources: [{ resourceType: 2, resourceName: "old", configs: [{ name, configOperation: 0, value }] }],
  });
const configsOfOld = (world: BrokerWorld) =>
  Object.fromEntries(configsOf(world.broker.metadata.image, "topic", "old"));

test("a topic that the journal has no room for is answered when the request's time is up, and made later", async () => {
  await using stuck = await stuckBroker();
  const { world } = stuck;
  const created = create(world, "new", 700);
  await stuck.isAnsweredAt(created, 700);
  expect((await created).topics).toMatchObject([{ errorCode: ErrorCode.requestTimedOut }]);
  await stuck.letGo();
  const again = await world.clock.until(create(world, "new", 700));
  expect(again.topics).toMatchObject([{ errorCode: ErrorCode.topicAlreadyExists }]);
});

test("a deletion and a growth are answered when their time is up, and done later", async () => {
  await using stuck = await stuckBroker();
  const { world } = stuck;
  const grown = grow(world, "old", 500);
  await stuck.isAnsweredAt(grown, 500);
  expect((await grown).results).toMatchObject([{ errorCode: ErrorCode.requestTimedOut }]);
  const removed = remove(world, "old", 800);
  await stuck.isAnsweredAt(removed, 800);
  expect((await removed).responses).toMatchObject([{ errorCode: ErrorCode.requestTimedOut }]);
  expect(world.broker.metadata.image.topics.get("old")?.partitions).toHaveLength(1);
  await stuck.letGo();
  expect(world.broker.metadata.image.topics.has("old")).toBe(false);
});

test.each([0, -1])("nothing is begun in a time of %i ms, as in Kafka", async (timeoutMs) => {
  await using world = await BrokerWorld.start();
  await world.createTopic("old");
  const timedOut = { errorCode: ErrorCode.requestTimedOut };
  expect((await create(world, "new", timeoutMs)).topics).toMatchObject([timedOut]);
  expect((await create(world, "new", timeoutMs, true)).topics).toMatchObject([timedOut]);
  expect((await create(world, "no such name!", timeoutMs)).topics).toMatchObject([timedOut]);
  expect((await grow(world, "old", timeoutMs)).results).toMatchObject([timedOut]);
  expect((await remove(world, "old", timeoutMs)).responses).toMatchObject([timedOut]);
  expect((await remove(world, "nothing", timeoutMs)).responses).toMatchObject([timedOut]);
  await world.clock.advance(1_000);
  expect([...world.broker.metadata.image.topics.keys()]).toEqual(["old"]);
  expect(world.broker.metadata.image.topics.get("old")?.partitions).toHaveLength(1);
});

test("configs that wait are answered in time, and those that have not had their turn by then are not changed", async () => {
  await using stuck = await stuckBroker();
  const { world } = stuck;
  const first = alter(world, "retention.ms", "1");
  const second = alter(world, "retention.bytes", "2");
  await stuck.isAnsweredAt(Promise.all([first, second]), requestTimeoutMs);
  for (const { responses } of [await first, await second]) {
    expect(responses).toMatchObject([{ errorCode: ErrorCode.requestTimedOut }]);
  }
  await stuck.letGo();
  expect(configsOfOld(world)).toEqual({ "retention.ms": "1" });

  // The turn goes on where the journal does, and nothing that was set before is lost.
  await world.clock.until(alter(world, "retention.bytes", "3"));
  expect(configsOfOld(world)).toEqual({ "retention.ms": "1", "retention.bytes": "3" });
});

test("a change of configs that waits keeps those behind it from undoing it", async () => {
  await using stuck = await stuckBroker();
  const { world } = stuck;
  const first = alter(world, "retention.ms", "1");
  await world.clock.advance(requestTimeoutMs - 10);
  const second = alter(world, "retention.bytes", "2");
  await world.clock.advance(10);
  expect((await first).responses).toMatchObject([{ errorCode: ErrorCode.requestTimedOut }]);
  await stuck.letGo();
  expect((await second).responses).toMatchObject([{ errorCode: ErrorCode.none }]);
  expect(configsOfOld(world)).toEqual({ "retention.ms": "1", "retention.bytes": "2" });
});

test("a producer that waits for a block of ids is told to ask again", async () => {
  await using stuck = await stuckBroker();
  const { world } = stuck;
  const ask = () => world.begin(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1_000 });
  const asked = ask();
  await stuck.isAnsweredAt(asked, requestTimeoutMs);
  expect(await asked).toMatchObject({ errorCode: ErrorCode.coordinatorLoadInProgress, producerId: -1 });
  await stuck.letGo();
  expect(await world.clock.until(ask())).toMatchObject({ errorCode: ErrorCode.none, producerId: 0 });
});

test("topics that are made on the way are answered in time with what clients try again", async () => {
  await using stuck = await stuckBroker();
  const { world } = stuck;
  const coordinator = world.begin(FindCoordinator, 2, { key: "g", keyType: 0 });
  const topics = [{ name: "auto" }, { name: "old" }];
  const described = world.begin(Metadata, 12, { topics, allowAutoTopicCreation: true });
  await stuck.isAnsweredAt(Promise.all([coordinator, described]), requestTimeoutMs);
  expect(await coordinator).toMatchObject({ errorCode: ErrorCode.coordinatorNotAvailable });
  expect((await described).topics).toMatchObject([
    { name: "auto", errorCode: ErrorCode.leaderNotAvailable },
    { name: "old", errorCode: ErrorCode.none },
  ]);
});

test("commands that pile up before a stuck journal are turned away at a bound, and taken again later", async () => {
  await using stuck = await stuckBroker();
  const { world } = stuck;
  const { metadata } = world.broker;
  const configs = { "group.name": "x".repeat(400_000) };
  const pending: Promise<unknown>[] = [];
  while (!metadata.isOverloaded && pending.length < 1_000) {
    pending.push(
      metadata.propose({ kind: "setConfigs", resource: "group", name: "g", configs, expected: null }),
    );
  }
  expect(pending.length).toBeGreaterThan(50);
  expect(pending.length).toBeLessThan(100);
  const startedMs = world.clock.monotonicMs();
  expect((await create(world, "new", 60_000)).topics).toMatchObject([
    { errorCode: ErrorCode.requestTimedOut },
  ]);
  expect((await alter(world, "retention.ms", "1")).responses).toMatchObject([
    { errorCode: ErrorCode.requestTimedOut },
  ]);
  expect(world.clock.monotonicMs()).toBe(startedMs);
  await stuck.letGo();
  await world.clock.until(Promise.all(pending));
  expect((await world.clock.until(alter(world, "retention.ms", "1"))).responses).toMatchObject([
    { errorCode: ErrorCode.none },
  ]);
});
