import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { IncrementalAlterConfigs } from "#protocol/messages/incremental-alter-configs.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import type { EntryId } from "#raft/core/entry.ts";
import type { MetadataImage } from "#src/cluster/metadata/metadata-image.ts";
import { type DiskChange, FaultyFileSystem } from "#storage/io/faulty-file.ts";
import { BrokerWorld, batchOf } from "../broker-world.ts";
import { HeldDisk } from "../held-disk.ts";
import { hasFrame, isOfJournal } from "../journal-witness.ts";

/** A disk on which the changes that a test picks wait until it lets them go. */
class HesitantDisk {
  readonly files: FaultyFileSystem;
  #heldCount = 0;
  readonly #held: (() => void)[] = [];
  holds: (change: DiskChange) => boolean = () => false;

  constructor() {
    this.files = new FaultyFileSystem({
      settle: (change) => (this.holds(change) ? this.#hold() : Promise.resolve()),
    });
  }

  get heldCount(): number {
    return this.#heldCount;
  }

  letGo(): void {
    this.holds = () => false;
    for (const resolve of this.#held.splice(0)) resolve();
  }

  #hold(): Promise<void> {
    this.#heldCount += 1;
    return new Promise((resolve) => this.#held.push(resolve));
  }
}

const deleteTopic = (world: BrokerWorld, name: string) =>
  world.call(DeleteTopics, 5, { topicNames: [name], timeoutMs: 1_000 });

test("a topic that is made again while its old files go keeps its new ones", async () => {
  const disk = new HesitantDisk();
  await using world = await BrokerWorld.start({ files: disk.files });
  await world.createTopic("t");
  await world.clock.until(world.produce("t", batchOf(["old"])));
  await world.clock.advance(20_000);
  disk.holds = ({ kind, path }) => kind === "remove" && path.startsWith("/data/t-0") && disk.heldCount === 0;
  expect((await deleteTopic(world, "t")).responses).toMatchObject([{ errorCode: 0 }]);

  const created = world.createTopic("t");
  await world.clock.advance(1_000);
  expect(disk.heldCount).toBe(1);
  disk.letGo();
  expect(await world.clock.until(created)).toBe(0);
  await world.clock.until(world.produce("t", batchOf(["new"])));
  await world.clock.advance(20_000);
  expect((await world.read("t")).values).toMatchObject([{ offset: 0, value: "new" }]);
  expect(await disk.files.list("/data/t-0")).toContain("00000000000000000000.log");
  expect(world.fatal).toEqual([]);
});

test("many topics that go and come at once all serve in the end", async () => {
  await using world = await BrokerWorld.start();
  const names = Array.from({ length: 40 }, (_, at) => `t${at}`);
  await Promise.all(names.map((name) => world.createTopic(name)));
  await Promise.all(
    names.map(async (name) => {
      await deleteTopic(world, name);
      await world.createTopic(name);
    }),
  );
  for (const name of names) {
    const { baseOffset } = await world.clock.until(world.produce(name, batchOf(["a"])));
    expect(baseOffset).toBe(0);
  }
  expect(world.fatal).toEqual([]);
});

test("a topic that is deleted while it is still being made leaves nothing behind", async () => {
  const disk = new HesitantDisk();
  await using world = await BrokerWorld.start({ files: disk.files });
  disk.holds = ({ path }) => path.startsWith("/data/t-0");
  const created = world.createTopic("t");
  await world.clock.settle();
  expect(disk.heldCount).toBe(1);
  await deleteTopic(world, "t");
  disk.letGo();
  await world.clock.until(created);
  await world.clock.advance(1_000);
  expect(await disk.files.list("/data")).not.toContain("t-0");
  expect(world.broker.partitions.find("t", 0)).toBeUndefined();
});

test("a stop waits until the files of deleted topics are gone", async () => {
  const disk = new HesitantDisk();
  const world = await BrokerWorld.start({ files: disk.files });
  await world.createTopic("t");
  disk.holds = ({ kind, path }) => kind === "remove" && path.startsWith("/data/t-0");
  await deleteTopic(world, "t");
  let isClosed = false;
  const closing = world.broker.close().then(() => {
    isClosed = true;
  });
  await world.clock.advance(10_000);
  expect(isClosed).toBe(false);
  disk.letGo();
  await world.clock.until(closing);
  expect(await disk.files.list("/data")).not.toContain("t-0");
  expect(world.fatal).toEqual([]);
});

test("what waits on a partition is told when its topic is deleted", async () => {
  await using world = await BrokerWorld.start();
  await world.createTopic("t");
  const partition = world.broker.partitions.find("t", 0);
  const never = partition?.whenCommitted(100);
  const told = expect(never).rejects.toThrow('Cannot use partition "t-0"');
  await deleteTopic(world, "t");
  await told;
  expect(partition?.isLeader).toBe(false);
});

test("a crash during a deletion leaves nothing that holds the journal's files for ever", async () => {
  let journalWrites = Number.NEGATIVE_INFINITY;
  let survivor: FaultyFileSystem | undefined;
  const files = new FaultyFileSystem({
    onChange: ({ kind, path }, phase) => {
      if (phase !== "started" || kind !== "write" || !path.startsWith("/data/journal")) return;
      journalWrites += 1;
      // The first commits the deletion, the second drops the group from the journal.
      if (journalWrites === 2) survivor = files.crash({ mode: "drop", random: () => 0 });
    },
  });
  const config = { "millrace.journal.files.max": "4" };
  const first = await BrokerWorld.start({ files, config });
  await first.createTopic("gone");
  await first.createTopic("stays");
  await first.clock.until(first.produce("gone", batchOf(["x".repeat(300_000)])));
  journalWrites = 0;
  const deletion = deleteTopic(first, "gone");
  await first.clock.settle();
  await deletion;
  first.clock.stop();
  expect(survivor).toBeDefined();

  await using second = await BrokerWorld.start({ files: survivor as FaultyFileSystem, config });
  expect(second.broker.metadata.image.topics.has("gone")).toBe(false);
  for (let round = 0; round < 20; round++) {
    const batch = batchOf(["y".repeat(400_000)]);
    const { errorCode } = await second.clock.until(second.produce("stays", batch));
    expect(errorCode, `round ${round}`).toBe(0);
  }
});

test("nobody learns of a partition's leader epoch before it is durable: a crash would give it out once more", async () => {
  const disk = new HeldDisk();
  await using world = await BrokerWorld.start({ files: disk.files });
  const described = async () => {
    const { topics } = await world.call(Metadata, 12, { topics: [{ name: "t" }] });
    return topics[0]?.partitions[0];
  };
  disk.holds = isOfJournal;
  let isMade = false;
  const created = world.createTopic("t").then(() => {
    isMade = true;
  });
  await world.clock.settle();
  disk.letGo();
  await world.clock.settle();
  // The topic is durable; its partition's first term waits for the next write.
  expect(disk.held.filter(hasFrame)).toHaveLength(1);
  expect(await described()).toMatchObject({ errorCode: ErrorCode.leaderNotAvailable, leaderEpoch: -1 });
  expect(isMade).toBe(false);
  disk.letAllGo();
  await world.clock.until(created);
  expect(await described()).toMatchObject({ errorCode: ErrorCode.none, leaderEpoch: 1 });
});

const setConfig = (
  world: BrokerWorld,
  resource: { type: number; name: string },
  [name, value]: readonly [string, string],
) =>
  world.call(IncrementalAlterConfigs, 1, {
    resources: [
      {
        resourceType: resource.type,
        resourceName: resource.name,
        configs: [{ name, configOperation: 0, value }],
      },
    ],
  });

test("a config that changes while a partition is being opened acts on it", async () => {
  const disk = new HesitantDisk();
  await using world = await BrokerWorld.start({ files: disk.files });
  disk.holds = ({ path }) => path.startsWith("/data/t-0");
  const created = world.createTopic("t");
  await world.clock.settle();
  const { responses } = await setConfig(world, { type: 2, name: "t" }, ["retention.ms", "86400000"]);
  expect(responses).toMatchObject([{ errorCode: 0 }]);
  disk.letGo();
  expect(await world.clock.until(created)).toBe(0);
  expect(world.broker.partitions.find("t", 0)?.settings.retentionMs).toBe(86_400_000);
});

test("a replica that its group has taken back outlives an image of before that", async () => {
  await using world = await BrokerWorld.start();
  await world.createTopic("t");
  const { partitions, metadata } = world.broker;
  const { image } = metadata;
  const topic = image.topics.get("t");
  const place = topic?.partitions[0];
  const partition = partitions.find("t", 0);
  if (!topic || !place || !partition) throw new Error("There is a partition");
  // The first entry of a leader is its no-op.
  const index = 1;
  const term = partition.leaderEpoch;
  const elsewhere = (settledAt: EntryId): MetadataImage => {
    const moved = { ...topic, partitions: [{ ...place, replicas: [2], settledAt }] };
    return { ...image, topics: new Map(image.topics).set("t", moved) };
  };

  const takenBack = elsewhere({ index, term });
  partitions.follow(takenBack, image);
  await world.clock.until(world.produce("t", batchOf(["a"])));
  expect(partitions.find("t", 0)).toBe(partition);
  partitions.follow(elsewhere({ index, term: term + 1 }), takenBack);
  expect(partition.isClosed).toBe(true);
});

test("settings are worked out anew only for those whose configs have changed", async () => {
  await using world = await BrokerWorld.start();
  await world.createTopic("t");
  await world.createTopic("u");
  const settingsOf = (topic: string) => world.broker.partitions.find(topic, 0)?.settings;
  const before = settingsOf("t");
  await world.createTopic("plain");
  await world.createTopic("own", { configs: { "retention.ms": "1" } });
  await setConfig(world, { type: 2, name: "u" }, ["retention.ms", "2"]);
  await deleteTopic(world, "own");
  expect(settingsOf("t")).toBe(before);
  expect(settingsOf("u")?.retentionMs).toBe(2);

  await setConfig(world, { type: 4, name: "" }, ["log.retention.ms", "3"]);
  expect(settingsOf("t")?.retentionMs).toBe(3);
  expect(settingsOf("u")?.retentionMs).toBe(2);
});
