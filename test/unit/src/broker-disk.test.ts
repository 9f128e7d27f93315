import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DeleteRecords } from "#protocol/messages/delete-records.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { OffsetCommit } from "#protocol/messages/offset-commit.ts";
import { type DiskChange, FaultyFileSystem, type FaultyFileSystemOptions } from "#storage/io/faulty-file.ts";
import type { DiskErrorCode } from "#storage/io/file.ts";
import { BrokerWorld, batchOf } from "./broker-world.ts";

const mebibyte = 1 << 20;
const value = "x".repeat(400_000);

test("a full disk refuses produce, serves reads, and takes data again when there is room", async () => {
  const options: FaultyFileSystemOptions = { capacityBytes: 48 * mebibyte };
  const files = new FaultyFileSystem(options);
  const world = await BrokerWorld.start({ files });
  await world.createTopic("t");
  const acknowledged: number[] = [];
  let refusal: { errorCode: number } | undefined;
  for (let round = 0; round < 200 && !refusal; round++) {
    const answer = await world.clock.until(world.produce("t", batchOf([`${round}-${value}`])));
    if (answer.errorCode === 0) acknowledged.push(round);
    else refusal = answer;
    await world.clock.advance(500);
  }
  expect(refusal?.errorCode).toBe(ErrorCode.kafkaStorageError);
  expect(world.broker.gate.isBlocked).toBe(true);

  const { values } = await world.read("t");
  expect(values.map((record) => Number.parseInt(record.value, 10))).toEqual(acknowledged);

  options.capacityBytes = 200 * mebibyte;
  await world.clock.advance(20_000);
  const again = await world.clock.until(world.produce("t", batchOf(["again"])));
  expect(again).toMatchObject({ errorCode: 0, baseOffset: acknowledged.length });
  expect(world.fatal).toEqual([]);
  await world[Symbol.asyncDispose]();

  await using reopened = await BrokerWorld.start({ files });
  expect((await reopened.read("t")).values).toHaveLength(acknowledged.length + 1);
});

test.each([1, 8])(
  "retention makes room on a full disk with journal files of %i MiB",
  async (journalMebibytes) => {
    const files = new FaultyFileSystem({ capacityBytes: 80 * mebibyte });
    await using world = await BrokerWorld.start({
      files,
      config: {
        "log.retention.check.interval.ms": "5000",
        "millrace.journal.file.bytes": String(journalMebibytes * mebibyte),
      },
    });
    await world.createTopic("t", { configs: { "segment.bytes": String(mebibyte), "retention.ms": "60000" } });
    let timestampMs = world.clock.nowMs();
    for (let round = 0; round < 300 && !world.broker.gate.isBlocked; round++) {
      timestampMs = world.clock.nowMs();
      await world.clock.until(world.produce("t", batchOf([value], { timestampMs })));
      await world.clock.advance(100);
    }
    expect(world.broker.gate.isBlocked).toBe(true);
    // Room is kept for what retention itself has to write.
    expect(await files.freeBytes()).toBeGreaterThan(16 * mebibyte);
    await world.clock.advance(120_000);
    const answer = await world.clock.until(
      world.produce("t", batchOf(["a"], { timestampMs: world.clock.nowMs() })),
    );
    expect(answer.errorCode).toBe(0);
  },
);

test("records are deleted on a full disk that has no room even for the newest ones", async () => {
  const options: FaultyFileSystemOptions = { capacityBytes: 200 * mebibyte };
  const files = new FaultyFileSystem(options);
  await using world = await BrokerWorld.start({ files });
  await world.createTopic("t", { configs: { "segment.bytes": String(mebibyte) } });
  for (let round = 0; round < 10; round++) {
    await world.clock.until(world.produce("t", batchOf([value])));
    if (round === 7) await world.clock.advance(20_000);
  }
  // Somebody else fills the disk: what the journal has of the last batches finds no room in a segment.
  options.capacityBytes = 200 * mebibyte - (await files.freeBytes()) + 64 * 1024;
  await world.clock.advance(20_000);
  expect(world.broker.gate.isBlocked).toBe(true);
  const deletion = world.call(DeleteRecords, 2, {
    topics: [{ name: "t", partitions: [{ partitionIndex: 0, offset: -1 }] }],
    timeoutMs: 5_000,
  });
  expect((await world.clock.until(deletion)).topics[0]?.partitions).toMatchObject([
    { errorCode: ErrorCode.none, lowWatermark: 10 },
  ]);
  expect(world.fatal).toEqual([]);
});

test("a full disk keeps offsets from being committed with an error that clients try again", async () => {
  const options: FaultyFileSystemOptions = { capacityBytes: 200 * mebibyte };
  await using world = await BrokerWorld.start({ files: new FaultyFileSystem(options) });
  await world.createTopic("t");
  await world.createTopic("__consumer_offsets");
  await world.clock.advance(1_000);
  options.capacityBytes = 0;
  await world.clock.until(world.produce("t", batchOf([value])));
  await world.clock.advance(30_000);
  expect(world.broker.gate.isBlocked).toBe(true);
  const { topics } = await world.call(OffsetCommit, 8, {
    groupId: "g",
    topics: [{ name: "t", partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }] }],
  });
  expect([ErrorCode.coordinatorNotAvailable, ErrorCode.kafkaStorageError]).toContain(
    topics[0]?.partitions[0]?.errorCode,
  );
  options.capacityBytes = 400 * mebibyte;
  await world.clock.advance(30_000);
  expect(world.fatal).toEqual([]);
});

test("a stop on a full disk ends, and the next start has everything", async () => {
  const options: FaultyFileSystemOptions = { capacityBytes: 200 * mebibyte };
  const files = new FaultyFileSystem(options);
  const world = await BrokerWorld.start({ files });
  await world.createTopic("t");
  await world.clock.until(world.produce("t", batchOf([value])));
  options.capacityBytes = 0;
  await world.clock.until(world.broker.close());
  expect(world.fatal).toEqual([]);
  expect(world.clock.timerCount).toBe(0);

  options.capacityBytes = 400 * mebibyte;
  await using reopened = await BrokerWorld.start({ files });
  expect((await reopened.read("t")).values).toHaveLength(1);
});

/** A disk on which a kind of change begins to fail when told. */
class FailingDisk {
  fails: (change: DiskChange) => boolean = () => false;
  code: DiskErrorCode = "io";
  readonly files = new FaultyFileSystem({
    failChange: (change) => (this.fails(change) ? this.code : undefined),
  });
}

test("a failed journal write is fatal and acknowledges nothing", async () => {
  const disk = new FailingDisk();
  const world = await BrokerWorld.start({ files: disk.files });
  await world.createTopic("t");
  disk.fails = ({ kind, path }) => kind === "write" && path.startsWith("/data/journal");
  const answer = world.produce("t", batchOf(["a"]));
  await world.clock.advance(60_000);
  // By then its time is over: what became of it nobody knows.
  expect(await answer).toMatchObject({ errorCode: ErrorCode.requestTimedOut });
  expect(world.fatal).toHaveLength(1);
  expect(world.fatal[0]).toMatchObject({ name: "DiskError", code: "io" });
  await expect(
    world.call(CreateTopics, 7, {
      topics: [{ name: "u", numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    }),
  ).rejects.toMatchObject({ code: "io" });
  await world.clock.until(world.broker.close());
  expect(world.clock.timerCount).toBe(0);
});

test("a failed segment write is fatal, and what was acknowledged is still there afterwards", async () => {
  const disk = new FailingDisk();
  const world = await BrokerWorld.start({ files: disk.files });
  await world.createTopic("t");
  await world.clock.until(world.produce("t", batchOf(["a", "b"])));
  disk.fails = ({ kind, path }) => kind === "write" && path.startsWith("/data/t-0");
  await world.clock.advance(60_000);
  expect(world.fatal).toHaveLength(1);
  world.clock.stop();

  const files = disk.files.crash({ mode: "torn", random: () => 0.3 });
  await using reopened = await BrokerWorld.start({ files });
  expect((await reopened.read("t")).values.map((record) => record.value)).toEqual(["a", "b"]);
});

test("a start that the disk fails tells why and leaves nothing running", async () => {
  const disk = new FailingDisk();
  const first = await BrokerWorld.start({ files: disk.files });
  await first.createTopic("t");
  await first[Symbol.asyncDispose]();
  disk.fails = ({ path }) => path.startsWith("/data/t-0") || path.startsWith("/data/journal");
  await expect(BrokerWorld.start({ files: disk.files, clock: first.clock })).rejects.toMatchObject({
    name: expect.stringMatching(/Error/),
  });
  expect(first.clock.timerCount).toBe(0);
});

test("a topic made on a full disk waits for room, can be deleted meanwhile, and ends nothing", async () => {
  const options: FaultyFileSystemOptions = { capacityBytes: 400 * mebibyte };
  await using world = await BrokerWorld.start({ files: new FaultyFileSystem(options) });
  await world.clock.advance(1_000);
  options.capacityBytes = 0;
  const waiting = world.createTopic("waiting");
  const deleted = world.createTopic("deleted");
  await world.clock.advance(5_000);
  expect(world.fatal).toEqual([]);
  const { responses } = await world.call(DeleteTopics, 5, { topicNames: ["deleted"], timeoutMs: 1_000 });
  expect(responses[0]?.errorCode).toBe(0);
  options.capacityBytes = 400 * mebibyte;
  await world.clock.advance(5_000);
  expect(await world.clock.until(waiting)).toBe(0);
  await world.clock.until(deleted);
  expect((await world.clock.until(world.produce("waiting", batchOf(["a"])))).errorCode).toBe(0);
});

test("a stop does not wait for the room that a topic waits for", async () => {
  const options: FaultyFileSystemOptions = { capacityBytes: 400 * mebibyte };
  const files = new FaultyFileSystem(options);
  const world = await BrokerWorld.start({ files });
  await world.clock.advance(1_000);
  options.capacityBytes = 0;
  void world.createTopic("t").catch(() => undefined);
  await world.clock.advance(5_000);
  await world.clock.until(world.broker.close());
  expect([world.fatal, world.clock.timerCount]).toEqual([[], 0]);
  options.capacityBytes = 400 * mebibyte;
  await using reopened = await BrokerWorld.start({ files });
  expect((await reopened.clock.until(reopened.produce("t", batchOf(["a"])))).errorCode).toBe(0);
});
