import { expect, test } from "vitest";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { MemoryFileSystem } from "#storage/io/memory-file.ts";
import { BrokerWorld } from "../broker-world.ts";

const compacted = {
  "cleanup.policy": "compact",
  "internal.segment.bytes": "8000",
  "segment.ms": "60000",
  "min.cleanable.dirty.ratio": "0",
};

function keyed(pairs: readonly (readonly [string, string | null])[], sequence: object = {}): Uint8Array {
  const records = pairs.map(([key, value]) => ({
    timestampMs: 1_700_000_000_000,
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
  }));
  return buildBatch({ records, ...sequence });
}

async function produce(
  world: BrokerWorld,
  batch: Uint8Array,
): Promise<{ errorCode: number; baseOffset: number }> {
  return world.clock.until(world.produce("t", batch));
}

/** Three rounds over five keys, a kilobyte each: more than the segments hold that stay open. */
async function update(world: BrokerWorld, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (let key = 0; key < 5; key++) {
      const { errorCode } = await produce(world, keyed([[`k${key}`, `${round}-${"x".repeat(1000)}`]]));
      expect(errorCode).toBe(0);
    }
  }
}

/** Long enough for a flush, the age of a segment and the compaction after it. */
const settledMs = 120_000;

async function offsetsIn(world: BrokerWorld): Promise<number[]> {
  return (await world.read("t")).values.map(({ offset }) => offset);
}

test("a compacted topic comes down to the last value of each key, and stays so over a restart", async () => {
  const files = new MemoryFileSystem();
  {
    await using world = await BrokerWorld.start({ files });
    expect(await world.createTopic("t", { configs: compacted })).toBe(0);
    await update(world, 8);
    await world.clock.advance(settledMs);
    expect(await offsetsIn(world)).toEqual([35, 36, 37, 38, 39]);
    expect(world.fatal).toEqual([]);
  }
  await using world = await BrokerWorld.start({ files });
  expect(await offsetsIn(world)).toEqual([35, 36, 37, 38, 39]);
  expect((await world.fetch("t")).highWatermark).toBe(40);
  expect(await produce(world, keyed([["k0", "new"]]))).toMatchObject({ errorCode: 0, baseOffset: 40 });
});

test.each([
  { name: "a topic without the policy", configs: { ...compacted, "cleanup.policy": "delete" }, config: {} },
  { name: "log.cleaner.enable=false", configs: compacted, config: { "log.cleaner.enable": "false" } },
  { name: "a clean enough log", configs: { ...compacted, "min.cleanable.dirty.ratio": "1" }, config: {} },
  {
    name: "records that are too young",
    configs: { ...compacted, "min.compaction.lag.ms": "900000" },
    config: {},
  },
])("nothing is compacted: $name", async ({ configs, config }) => {
  await using world = await BrokerWorld.start({ config });
  await world.createTopic("t", { configs });
  await update(world, 8);
  await world.clock.advance(settledMs);
  expect(await offsetsIn(world)).toHaveLength(40);
});

test("a clean enough log is compacted all the same once a record reaches max.compaction.lag.ms", async () => {
  await using world = await BrokerWorld.start();
  const configs = { ...compacted, "segment.ms": "604800000", "min.cleanable.dirty.ratio": "1" };
  await world.createTopic("t", { configs: { ...configs, "max.compaction.lag.ms": "60000" } });
  await update(world, 8);
  await world.clock.advance(40_000);
  expect(await offsetsIn(world)).toHaveLength(40);
  await world.clock.advance(settledMs);
  expect(await offsetsIn(world)).toEqual([35, 36, 37, 38, 39]);
});

test("an idempotent producer goes on where it was, though all its records are gone and the log alone can tell", async () => {
  const files = new MemoryFileSystem();
  const producer = { producerId: 7, producerEpoch: 0 };
  const first = keyed(
    [
      ["k0", "a"],
      ["k1", "b"],
      ["k2", "c"],
    ],
    { ...producer, baseSequence: 0 },
  );
  {
    await using world = await BrokerWorld.start({ files });
    await world.createTopic("t", { configs: compacted });
    expect(await produce(world, Buffer.from(first))).toMatchObject({ errorCode: 0, baseOffset: 0 });
    await update(world, 8);
    await world.clock.advance(settledMs);
    expect((await offsetsIn(world))[0]).toBe(38);
  }
  await files.remove("/data/t-0/producers.snapshot");
  await using world = await BrokerWorld.start({ files });
  const next = (baseSequence: number) => keyed([["k9", "z"]], { ...producer, baseSequence });
  expect(await produce(world, next(4))).toMatchObject({ errorCode: 45 });
  expect(await produce(world, Buffer.from(first))).toMatchObject({ errorCode: 0, baseOffset: 0 });
  expect(await produce(world, next(3))).toMatchObject({ errorCode: 0, baseOffset: 43 });
});

test("a slow rate makes a compaction take its time, and does not hold up the broker's end", async () => {
  const files = new MemoryFileSystem();
  const config = { "log.cleaner.io.max.bytes.per.second": "1024" };
  const world = await BrokerWorld.start({ files, config });
  await world.createTopic("t", { configs: { ...compacted, "internal.segment.bytes": "80000" } });
  await update(world, 60);
  await world.clock.advance(settledMs);
  expect(await offsetsIn(world)).toHaveLength(300);
  const { clock } = world;
  const closingMs = clock.monotonicMs();
  await world[Symbol.asyncDispose]();
  expect(clock.monotonicMs() - closingMs).toBeLessThan(1000);
  expect(world.fatal).toEqual([]);
});

test("a disk without room to write segments anew is left alone", async () => {
  const files = new MemoryFileSystem({ bytesMax: 80 << 20 });
  await using world = await BrokerWorld.start({ files });
  await world.createTopic("t", { configs: compacted });
  await update(world, 8);
  const free = files.freeBytes.bind(files);
  files.freeBytes = async () => Math.min(await free(), 40 << 20);
  await world.clock.advance(settledMs);
  expect(await offsetsIn(world)).toHaveLength(40);
  files.freeBytes = free;
  await world.clock.advance(settledMs);
  expect((await offsetsIn(world)).length).toBeLessThan(40);
});
