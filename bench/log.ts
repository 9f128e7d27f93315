/**
 * A partition's log against the disk: flushes beside a plain loop of equally large aligned durable writes, cold
 * reads beside equally large aligned reads of a file, and how long a node's partitions take to open again.
 */

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32c } from "@node-rs/crc32";
import { batchHeaderBytes, isIntact, readBatchHeader, stampBatch } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { BatchCache } from "#storage/cache/batch-cache.ts";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import { openDirectFileSystem } from "#storage/io/direct-file.ts";
import type { FileSystem } from "#storage/io/file.ts";
import type { BatchFormat } from "#storage/log/batch-format.ts";
import { DirtyBudget } from "#storage/log/dirty-budget.ts";
import type { Log } from "#storage/log/log.ts";
import { defaultLogConfig } from "#storage/log/log-config.ts";
import { LogManager } from "#storage/log/log-manager.ts";

const mebibyte = 1024 * 1024;
const totalBytes = 256 * mebibyte;
const flushEveryBytes = 4 * mebibyte;
const batchSizes = [1024, 16_384, 262_144];
const partitionCount = 1000;
const workDirectory = join(import.meta.dirname, "..", ".cache", "bench-log");

const format: BatchFormat = {
  headerBytes: batchHeaderBytes,
  readHeader: readBatchHeader,
  isIntact: (bytes, position) => isIntact(bytes, position, readBatchHeader(bytes, position)),
  findTimestamp: () => undefined,
};
const arena = new BufferArena({ bytesMax: 128 * mebibyte });

/** Prints MB/s and ratios to the disk for flushes, cold and cached reads, and the time to open many logs. */
export async function run(): Promise<void> {
  await mkdir(workDirectory, { recursive: true });
  try {
    const files = await openDirectFileSystem({ probeDirectory: workDirectory });
    const disk = await measureDisk(files);
    print(["batch", "append+flush", "of disk", "cold read", "of disk", "cached read"]);
    for (const sizeBytes of batchSizes) await measureLog(files, sizeBytes, disk);
    await measureOpening(files);
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

async function measureDisk(files: FileSystem): Promise<{ writeRate: number; readRate: number }> {
  const block = arena.allocate(mebibyte);
  await using file = await files.open(join(workDirectory, "raw"), "create");
  const writeRate = await rateOf(totalBytes, async () => {
    for (let position = 0; position < totalBytes; position += mebibyte) await file.write(position, block);
  });
  const readRate = await rateOf(totalBytes, async () => {
    for (let position = 0; position < totalBytes; position += mebibyte) await file.read(position, block);
  });
  arena.release(block);
  process.stdout.write(
    `disk, 1 MiB blocks: write ${inMegabytes(writeRate)}, read ${inMegabytes(readRate)}\n`,
  );
  return { writeRate, readRate };
}

async function measureLog(
  files: FileSystem,
  sizeBytes: number,
  disk: { writeRate: number; readRate: number },
): Promise<void> {
  const identity = { topic: `bench${sizeBytes}`, topicId: "AAAAAAAAAAAAAAAAAAAAAQ", partition: 0 };
  const template = buildBatch({
    records: [{ timestampMs: 1, key: null, value: new Uint8Array(sizeBytes), headers: [] }],
  });

  let writeRate = 0;
  let cachedRate = 0;
  {
    await using logs = await openManager(files, totalBytes * 2);
    const log = await logs.openLog(identity, defaultLogConfig);
    writeRate = await rateOf(totalBytes, () => fill(log, template, totalBytes));
    cachedRate = await rateOf(totalBytes, () => readThrough(log));
  }
  await using logs = await openManager(files, 16 * mebibyte);
  const log = await logs.openLog(identity, defaultLogConfig);
  const coldRate = await rateOf(totalBytes, () => readThrough(log));
  print([
    String(sizeBytes),
    inMegabytes(writeRate),
    (writeRate / disk.writeRate).toFixed(2),
    inMegabytes(coldRate),
    (coldRate / disk.readRate).toFixed(2),
    inMegabytes(cachedRate),
  ]);
  await logs.remove(identity);
}

async function measureOpening(files: FileSystem): Promise<void> {
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({
    identity: { topic: "many", topicId: "AAAAAAAAAAAAAAAAAAAAAQ", partition },
    config: defaultLogConfig,
  }));
  const template = buildBatch({
    records: [{ timestampMs: 1, key: null, value: new Uint8Array(10_000), headers: [] }],
  });
  const made = await openManager(files, 0);
  const makingMs = await timeOf(() => made.openLogs(partitions));
  for (const { log } of made.logs()) await fill(log, template, 50_000);
  // Left open, as a crash leaves them.
  const crashed = await openManager(files, 0);
  const crashedMs = await timeOf(() => crashed.openLogs(partitions));
  const closingMs = await timeOf(() => crashed.close());
  const clean = await openManager(files, 0);
  const cleanMs = await timeOf(() => clean.openLogs(partitions));
  await clean.close();
  process.stdout.write(
    `${partitionCount} partitions: made in ${makingMs.toFixed(0)} ms, opened after a crash in ${crashedMs.toFixed(0)} ms, ` +
      `closed in ${closingMs.toFixed(0)} ms, opened after a clean stop in ${cleanMs.toFixed(0)} ms\n`,
  );
}

async function fill(log: Log, template: Uint8Array, fillBytes: number): Promise<void> {
  let filledBytes = 0;
  while (filledBytes < fillBytes) {
    const batch = new Uint8Array(template); // As each comes in a frame of its own.
    stampBatch(batch, 0, { baseOffset: log.nextOffset, leaderEpoch: 0 });
    log.append(batch, readBatchHeader(batch, 0));
    filledBytes += batch.length;
    if (log.dirtyBytes >= flushEveryBytes) await log.flush();
  }
  await log.flush();
}

async function readThrough(log: Log): Promise<void> {
  for (let offset = 0; offset < log.nextOffset; ) {
    const read = log.read({ offset, maxBytes: mebibyte, upToOffset: log.nextOffset, atLeastOneBatch: true });
    const slice = read instanceof Promise ? await read : read;
    offset = slice.nextOffset;
  }
}

function openManager(files: FileSystem, cacheBytes: number): Promise<LogManager> {
  return LogManager.open({
    files,
    directory: join(workDirectory, "logs"),
    format,
    checksum: (bytes, seed) => crc32c(bytes, seed),
    arena,
    cache: new BatchCache(cacheBytes),
    dirty: new DirtyBudget(totalBytes),
    nowMs: () => performance.now(),
  });
}

async function rateOf(sizeBytes: number, work: () => Promise<void>): Promise<number> {
  return sizeBytes / ((await timeOf(work)) / 1000);
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

function inMegabytes(bytesPerSecond: number): string {
  return `${(bytesPerSecond / 1e6).toFixed(0)} MB/s`;
}

function print(cells: readonly string[]): void {
  process.stdout.write(`${cells.map((cell) => cell.padStart(13)).join("")}\n`);
}
