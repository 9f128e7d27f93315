import { expect, test } from "vitest";
import { crc32c } from "#protocol/bytes/crc32c.ts";
import { readBatchHeader } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import type { Partition } from "#src/partitions/partition.ts";
import { ProducerStore } from "#src/partitions/producer-store.ts";
import { ProducerTable } from "#src/partitions/producer-table.ts";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import { MemoryFileSystem } from "#storage/io/memory-file.ts";

/** A partition as the store sees it: a table, and a log of batches of one record each. */
class StoredPartition {
  readonly producers = new ProducerTable();
  readonly batches: Uint8Array[] = [];
  scannedCount = 0;
  readonly log = {
    directory: "/data/t-0",
    startOffset: 0,
    nextOffset: 0,
    flushedOffset: 0,
    sizeBytes: 0,
    scan: async (from: number, onBatch: (batch: Uint8Array, header: unknown) => void) => {
      for (const batch of this.batches.slice(from, this.log.nextOffset)) {
        this.scannedCount += 1;
        onBatch(batch, readBatchHeader(batch, 0));
      }
    },
  };

  /** Appends batches of producer 7, which are in the table at once and in the segments when flushed. */
  append(count: number): void {
    for (let at = 0; at < count; at++) {
      const baseSequence = this.batches.length;
      const batch = buildBatch({
        records: [{ timestampMs: 1, key: null, value: null }],
        baseOffset: baseSequence,
        producerId: 7,
        producerEpoch: 0,
        baseSequence,
      });
      this.batches.push(batch);
      this.log.nextOffset += 1;
      this.log.sizeBytes += batch.length;
      this.restoreProducerOf(batch);
    }
  }

  restoreProducerOf(batch: Uint8Array): void {
    const header = readBatchHeader(batch, 0);
    const { baseOffset, nextOffset, maxTimestampMs } = header;
    this.producers.append(header, { baseOffset, nextOffset, maxTimestampMs }, 0);
  }

  /** What the next start finds: the same log, cut back to an offset, and an empty table. */
  reopened(nextOffset = this.log.nextOffset): StoredPartition {
    const next = new StoredPartition();
    next.batches.push(...this.batches.slice(0, nextOffset));
    Object.assign(next.log, { nextOffset, flushedOffset: nextOffset, startOffset: this.log.startOffset });
    return next;
  }
}

async function world() {
  const files = new MemoryFileSystem();
  await files.makeDirectory("/data/t-0");
  const disk = { files, arena: new BufferArena({ bytesMax: 1 << 20 }), checksum: crc32c };
  const newStore = () => new ProducerStore(disk, { acceptCorruption: false });
  return { files, newStore };
}

const asPartition = (partition: StoredPartition) => partition as unknown as Partition;
const lastSequenceOf = ({ producers }: StoredPartition) =>
  [...producers.entries()][0]?.batches.at(-1)?.lastSequence;

test("without a snapshot the whole log tells of its producers", async () => {
  const { newStore } = await world();
  const partition = new StoredPartition();
  partition.append(3);
  const next = partition.reopened();
  await newStore().load(asPartition(next));
  expect([lastSequenceOf(next), next.scannedCount]).toEqual([2, 3]);
});

test("a snapshot tells of what lies before it, the log of what lies behind", async () => {
  const { newStore } = await world();
  const partition = new StoredPartition();
  partition.append(4);
  partition.log.flushedOffset = 4;
  await newStore().save(asPartition(partition));
  partition.append(2);
  const next = partition.reopened();
  await newStore().load(asPartition(next));
  expect([lastSequenceOf(next), next.scannedCount]).toEqual([5, 2]);
});

test("a snapshot has nothing that is not in the segments: a crash may lose it (trap 22)", async () => {
  const { newStore } = await world();
  const partition = new StoredPartition();
  partition.append(5);
  partition.log.flushedOffset = 3;
  await newStore().save(asPartition(partition));
  const next = partition.reopened(3);
  await newStore().load(asPartition(next));
  expect(lastSequenceOf(next)).toBe(2);
});

test("a snapshot outlives the batches that it speaks of (retention)", async () => {
  const { newStore } = await world();
  const partition = new StoredPartition();
  partition.append(4);
  partition.log.flushedOffset = 4;
  await newStore().save(asPartition(partition));
  const next = partition.reopened();
  next.log.startOffset = 4;
  await newStore().load(asPartition(next));
  expect([lastSequenceOf(next), next.scannedCount]).toEqual([3, 0]);
});

test("a snapshot from beyond the log's end is of a log that is gone", async () => {
  const { newStore } = await world();
  const partition = new StoredPartition();
  partition.append(4);
  partition.log.flushedOffset = 4;
  await newStore().save(asPartition(partition));
  const next = partition.reopened(2);
  await newStore().load(asPartition(next));
  expect([lastSequenceOf(next), next.scannedCount]).toEqual([1, 2]);
});

test("saves at the same time do not meet, and the newest state stays", async () => {
  const { newStore } = await world();
  const store = newStore();
  const partition = new StoredPartition();
  partition.append(2);
  partition.log.flushedOffset = 1;
  const first = store.save(asPartition(partition));
  await Promise.resolve();
  partition.log.flushedOffset = 2;
  await Promise.all([first, store.save(asPartition(partition)), store.save(asPartition(partition))]);
  const next = partition.reopened();
  await newStore().load(asPartition(next));
  expect([lastSequenceOf(next), next.scannedCount]).toEqual([1, 0]);
});

test("saves after some 32 MiB, whether the log has grown or shrunk by them", async () => {
  const { files, newStore } = await world();
  const store = newStore();
  const partition = new StoredPartition();
  partition.append(1);
  partition.log.flushedOffset = 1;
  const exists = () => files.exists("/data/t-0/producers.snapshot");
  await store.load(asPartition(partition));
  await store.saveIfDue(asPartition(partition));
  expect(await exists()).toBe(false);
  partition.log.sizeBytes += 33 << 20;
  await store.saveIfDue(asPartition(partition));
  expect(await exists()).toBe(true);
  await files.remove("/data/t-0/producers.snapshot");
  partition.log.flushedOffset = partition.log.nextOffset = 2;
  partition.log.sizeBytes -= 33 << 20;
  await store.saveIfDue(asPartition(partition));
  expect(await exists()).toBe(true);
});
