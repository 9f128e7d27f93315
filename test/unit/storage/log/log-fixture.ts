import { expect } from "vitest";
import { BatchCache } from "#storage/cache/batch-cache.ts";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import type { FileSystem } from "#storage/io/file.ts";
import { MemoryFileSystem } from "#storage/io/memory-file.ts";
import { DirtyBudget } from "#storage/log/dirty-budget.ts";
import { Log, type LogOptions } from "#storage/log/log.ts";
import { defaultLogConfig, type LogConfig } from "#storage/log/log-config.ts";
import type { LogSlice, ReadRequest } from "#storage/log/log-slice.ts";
import { type FakeBatch, fakeBatch, fakeChecksum, fakeFormat } from "./fake-batch.ts";

const arena = new BufferArena({ bytesMax: 64 * 1024 * 1024 });

/** Small enough that a handful of batches rolls, indexes and checkpoints. */
export const smallConfig: LogConfig = {
  ...defaultLogConfig,
  segmentBytes: 16_384,
  indexIntervalBytes: 1024,
  retentionMs: -1,
  writeBytesMax: 8192,
  checkpointBytes: 24_576,
  readAheadBytesMax: 65_536,
};

export interface Fixture {
  readonly files: FileSystem;
  readonly clock: { nowMs: number };
  readonly dirty: DirtyBudget;
  readonly cache: BatchCache;
  open(changed?: Partial<LogOptions>): Promise<Log>;
}

/** Logs over one file system, by default in memory and without a batch cache, so that reads reach the segments. */
export function logFixture(files: FileSystem = new MemoryFileSystem(), cacheBytes = 0): Fixture {
  const clock = { nowMs: 1_000_000 };
  const dirty = new DirtyBudget(1 << 30);
  const cache = new BatchCache(cacheBytes);
  const options: LogOptions = {
    files,
    directory: "/data/topic-0",
    format: fakeFormat,
    checksum: fakeChecksum,
    arena,
    cache,
    config: smallConfig,
    dirty,
    nowMs: () => clock.nowMs,
  };
  return { files, clock, dirty, cache, open: (changed) => Log.open({ ...options, ...changed }) };
}

/** Appends batches of one record each; answers them. */
export function appendMany(
  log: Log,
  count: number,
  fields: { fillerBytes?: number; leaderEpoch?: number } = {},
) {
  const batches: FakeBatch[] = [];
  for (let i = 0; i < count; i++) {
    const batch = fakeBatch({ baseOffset: log.nextOffset, fillerBytes: 1000, ...fields });
    log.append(batch.bytes, batch.header);
    batches.push(batch);
  }
  return batches;
}

export function readAt(
  log: Log,
  offset: number,
  changed: Partial<ReadRequest> = {},
): LogSlice | Promise<LogSlice> {
  const upToOffset = log.nextOffset;
  return log.read({ offset, maxBytes: 1 << 20, upToOffset, atLeastOneBatch: true, ...changed });
}

/** All bytes from an offset to the end, as a fetching client would gather them. */
export async function readAll(log: Log, fromOffset = log.startOffset, maxBytes = 4096): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let offset = fromOffset;
  while (offset < log.nextOffset) {
    const slice = await readAt(log, offset, { maxBytes });
    if (slice.batchCount === 0) throw new Error(`nothing at ${offset}, before the end ${log.nextOffset}`);
    chunks.push(...slice.chunks);
    offset = slice.nextOffset;
  }
  return Buffer.concat(chunks);
}

export function bytesOf(batches: readonly FakeBatch[]): Buffer {
  return Buffer.concat(batches.map((batch) => batch.bytes));
}

/** As `toEqual`, which compares large buffers element by element and slowly. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) === 0) return;
  const at = actual.findIndex((byte, i) => byte !== expected[i]);
  expect.fail(`${actual.length} bytes differ from the ${expected.length} expected ones at ${at}`);
}
