import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { encodeRequestFrame } from "#protocol/frame.ts";
import { AlterConfigs } from "#protocol/messages/alter-configs.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DescribeConfigs } from "#protocol/messages/describe-configs.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { IncrementalAlterConfigs } from "#protocol/messages/incremental-alter-configs.ts";
import { JoinGroup } from "#protocol/messages/join-group.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { type DiskChange, FaultyFileSystem } from "#storage/io/faulty-file.ts";
import { BrokerWorld, batchOf } from "./broker-world.ts";

test("a stop answers a fetch and a join that wait, at once, and leaves nothing behind", async () => {
  const world = await BrokerWorld.start({ config: { "group.initial.rebalance.delay.ms": "60000" } });
  await world.createTopic("t");
  await world.createTopic("__consumer_offsets");
  const fetching = world.network.connect(9092);
  fetching.send(
    encodeRequestFrame(
      {
        maxWaitMs: 300_000,
        minBytes: 1,
        topics: [{ topic: "t", partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }] }],
      },
      { api: Fetch, version: 11, correlationId: 1, clientId: "fetching" },
    ),
  );
  const joining = world.network.connect(9092);
  joining.send(
    encodeRequestFrame(
      {
        groupId: "g",
        sessionTimeoutMs: 30_000,
        rebalanceTimeoutMs: 30_000,
        memberId: "",
        protocolType: "consumer",
        protocols: [{ name: "range", metadata: Buffer.alloc(0) }],
      },
      { api: JoinGroup, version: 3, correlationId: 2, clientId: "joining" },
    ),
  );
  await world.clock.settle();
  expect([fetching.frames.length, joining.frames.length]).toEqual([0, 0]);
  const startedMs = world.clock.monotonicMs();
  await world.clock.until(world.broker.close());
  expect([fetching.frames.length, joining.frames.length]).toEqual([1, 1]);
  expect(world.clock.monotonicMs() - startedMs).toBeLessThan(1_000);
  expect([world.clock.timerCount, world.fatal, world.network.ports]).toEqual([0, [], []]);
});

test("closing twice is closing once", async () => {
  const world = await BrokerWorld.start();
  const both = Promise.all([world.broker.close(), world.broker.close()]);
  await world.clock.until(both);
  await world.clock.until(world.broker.close());
  expect(world.fatal).toEqual([]);
});

test("housekeeping that is under way at the stop does not meet closed files", async () => {
  let heldWrite: (() => void) | undefined;
  let holds = false;
  const files = new FaultyFileSystem({
    settle: ({ kind, path }: DiskChange) =>
      holds && kind === "write" && path.startsWith("/data/t-0")
        ? new Promise<void>((resolve) => {
            holds = false;
            heldWrite = resolve;
          })
        : Promise.resolve(),
  });
  const world = await BrokerWorld.start({ files });
  await world.createTopic("t");
  await world.clock.until(world.produce("t", batchOf(["a"])));
  holds = true;
  await world.clock.advance(15_000);
  expect(heldWrite).toBeDefined();
  const closing = world.broker.close();
  await world.clock.settle();
  heldWrite?.();
  await world.clock.until(closing);
  expect([world.fatal, world.clock.timerCount]).toEqual([[], 0]);
  await using reopened = await BrokerWorld.start({ files });
  expect((await reopened.read("t")).values).toHaveLength(1);
});

test("after a clean stop nothing is left for the journal to bring back, and epochs still grow", async () => {
  const first = await BrokerWorld.start();
  await first.createTopic("t");
  const epoch = first.broker.partitions.find("t", 0)?.leaderEpoch ?? -1;
  for (let at = 0; at < 5; at++) await first.clock.until(first.produce("t", batchOf([`${at}`])));
  await first[Symbol.asyncDispose]();
  await using second = await BrokerWorld.start({ files: first.files });
  expect(second.broker.partitions.find("t", 0)?.log.dirtyBytes).toBe(0);
  expect(second.broker.partitions.find("t", 0)?.leaderEpoch).toBeGreaterThan(epoch);
  expect((await second.read("t")).values).toHaveLength(5);
});

const alter = (world: BrokerWorld, name: string, value: string) =>
  world.begin(IncrementalAlterConfigs, 1, {
    resources: [{ resourceType: 2, resourceName: "t", configs: [{ name, configOperation: 0, value }] }],
  });

test("changes of one resource at the same time are all kept", async () => {
  await using world = await BrokerWorld.start();
  await world.createTopic("t");
  const changes = { "retention.ms": "1000", "segment.ms": "5000", "max.message.bytes": "2000" };
  await world.clock.until(
    Promise.all(Object.entries(changes).map(([name, value]) => alter(world, name, value))),
  );
  const { results } = await world.call(DescribeConfigs, 4, {
    resources: [{ resourceType: 2, resourceName: "t", configurationKeys: Object.keys(changes) }],
  });
  const values = results[0]?.configs.map(({ name, value }) => [name, value]) ?? [];
  expect(Object.fromEntries(values)).toEqual(changes);
});

test("settings act on an open partition as soon as they are answered", async () => {
  await using world = await BrokerWorld.start();
  await world.createTopic("t");
  await world.clock.until(alter(world, "max.message.bytes", "500"));
  const { errorCode } = await world.clock.until(world.produce("t", batchOf(["x".repeat(1_000)])));
  expect(errorCode).toBe(ErrorCode.messageTooLarge);
});

test("broker configs that contradict one another together are refused, and the broker lives", async () => {
  await using world = await BrokerWorld.start();
  const contradiction = (value: string) =>
    world.begin(AlterConfigs, 2, {
      resources: [
        {
          resourceType: 4,
          resourceName: value === "min" ? "1" : "",
          configs: [
            value === "min"
              ? { name: "log.cleaner.min.compaction.lag.ms", value: "1000000" }
              : { name: "log.cleaner.max.compaction.lag.ms", value: "1000" },
          ],
        },
      ],
    });
  await world.clock.until(Promise.all([contradiction("min"), contradiction("max")]));
  expect(world.fatal).toEqual([]);
  const { brokers } = await world.call(Metadata, 12, { topics: [] });
  expect(brokers).toHaveLength(1);
});

test("thousands of commands are saved on the way, and all are there after a crash", async () => {
  const files = new FaultyFileSystem();
  const first = await BrokerWorld.start({ files });
  await first.createTopic("t");
  const changes = Array.from({ length: 2_500 }, (_, at) => alter(first, "retention.ms", `${1 + at}`));
  await first.clock.until(Promise.all(changes));
  await first.createTopic("last");
  first.clock.stop();
  await using second = await BrokerWorld.start({ files: files.crash({ mode: "drop", random: () => 0 }) });
  expect([...second.broker.metadata.image.topics.keys()].sort()).toEqual(["last", "t"]);
  expect(second.broker.metadata.image.configs.get("topic:t")?.get("retention.ms")).toBe("2500");
});

test("a topic with more partitions than a request may ask for is refused, assigned by hand or not", async () => {
  await using world = await BrokerWorld.start();
  const assignments = Array.from({ length: 150_000 }, (_, partitionIndex) => ({
    partitionIndex,
    brokerIds: [1],
  }));
  const { topics } = await world.call(CreateTopics, 7, {
    topics: [
      { name: "byHand", numPartitions: -1, replicationFactor: -1, assignments, configs: [] },
      { name: "placed", numPartitions: 150_000, replicationFactor: 1, assignments: [], configs: [] },
    ],
  });
  expect(topics.map(({ errorCode }) => errorCode)).toEqual([
    ErrorCode.policyViolation,
    ErrorCode.policyViolation,
  ]);
  expect(world.fatal).toEqual([]);
});
