import { expect } from "vitest";
import type { Compression } from "#protocol/compression/compression.ts";
import { readBatchHeader } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { readRecords } from "#protocol/records/record.ts";
import { recordFormat } from "#src/partitions/record-format.ts";
import type { Log } from "#storage/log/log.ts";
import type { CompactionReport, CompactionRequest } from "#storage/log/log-compaction.ts";
import type { LogConfig } from "#storage/log/log-config.ts";
import { kafkaChecksum, kafkaFormat } from "./kafka-batch.ts";
import { readAll, smallConfig } from "./log-fixture.ts";

/** A record as the model and the readers of a log know it. */
export interface KeyedRecord {
  readonly offset: number;
  readonly key: string | null;
  /** Null for a tombstone. */
  readonly value: string | null;
  readonly timestampMs: number;
}

export const deleteRetentionMs = 1000;

/** Segments of a few batches each, and writes of one or two. */
export const keyedConfig: LogConfig = { ...smallConfig, segmentBytes: 6000, checkpointBytes: 8192 };

/** How to open a log whose batches have keys. */
export const keyedOptions = { format: kafkaFormat, checksum: kafkaChecksum, config: keyedConfig };

/** Compacts whatever is dirty, with room for all keys, unless told otherwise. */
export function compactionAt(nowMs: number, changed: Partial<CompactionRequest> = {}): CompactionRequest {
  return {
    nowMs,
    rules: { minDirtyRatio: 0, minLagMs: 0, maxLagMs: Number.MAX_SAFE_INTEGER, deleteRetentionMs },
    records: recordFormat,
    mustStay: () => false,
    keyMapBytes: 1 << 20,
    keyMapLoadFactor: 0.9,
    pace: async () => {},
    ...changed,
  };
}

/** All records of a log, as its readers get them. */
export async function recordsOf(log: Log, fromOffset = log.startOffset): Promise<KeyedRecord[]> {
  const bytes = await readAll(log, fromOffset);
  const records: KeyedRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { sizeBytes } = readBatchHeader(bytes, at);
    const batch = bytes.subarray(at, at + sizeBytes);
    for (const { offset, key, value, timestampMs } of readRecords(batch, { decompressedBytesMax: 1 << 20 })) {
      records.push({ offset, key: textOf(key), value: textOf(value), timestampMs });
    }
    at += sizeBytes;
  }
  return records.filter(({ offset }) => offset >= fromOffset);
}

/** All that was appended to a log of keyed records, and what compaction may have taken from it. */
export class KeyedModel {
  readonly records: KeyedRecord[] = [];
  readonly batches: Uint8Array[] = [];
  flushedOffset = 0;
  startOffset = 0;
  /** The log may start here already: a trim was under way. */
  startOffsetMax = 0;
  /** Offset of a tombstone → when a run first came upon it. */
  readonly #firstRunMs = new Map<number, number>();

  get nextOffset(): number {
    return (this.records.at(-1)?.offset ?? -1) + 1;
  }

  append(
    log: Log,
    records: readonly Pick<KeyedRecord, "key" | "value">[],
    { compression = "none" as Compression, timestampMs = 1000 } = {},
  ): void {
    const baseOffset = this.nextOffset;
    const added = records.map((record, i) => ({ ...record, offset: baseOffset + i, timestampMs }));
    const bytes = buildBatch({
      baseOffset,
      leaderEpoch: 0,
      compression,
      records: added.map(({ key, value }) => ({ timestampMs, key: bytesOf(key), value: bytesOf(value) })),
    });
    this.records.push(...added);
    this.batches.push(bytes);
    log.append(bytes, readBatchHeader(bytes, 0));
  }

  replayInto(log: Log): void {
    for (const batch of this.batches) {
      const header = readBatchHeader(batch, 0);
      if (header.baseOffset >= log.nextOffset) log.append(batch, header);
    }
  }

  /** Compacts the log and notes which tombstones the run may have seen. */
  async compact(log: Log, request: CompactionRequest): Promise<CompactionReport | undefined> {
    for (const { offset, value } of this.records) {
      if (value !== null || offset >= log.flushedOffset || this.#firstRunMs.has(offset)) continue;
      this.#firstRunMs.set(offset, request.nowMs);
    }
    return log.compact(request);
  }

  /** What must hold of a log at any time, however far compaction came; `nowMs` is the latest run's. */
  async expectLegal(log: Log, nowMs: number): Promise<KeyedRecord[]> {
    const found = await recordsOf(log);
    const offsets = found.map(({ offset }) => offset);
    expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
    for (const record of found) expect(record).toEqual(this.records[record.offset]);

    const present = new Set(offsets);
    const lost = this.records.filter(({ offset }) => offset >= log.startOffset && !present.has(offset));
    const sealedEnd = log.segments().findLast(({ isSealed }) => isSealed)?.nextOffset ?? 0;
    for (const record of lost) {
      expect(record.offset, "above the sealed segments nothing goes").toBeLessThan(sealedEnd);
      expect(record.key, "without a key nothing goes").not.toBeNull();
      if (this.#isLatest(record)) this.#expectExpired(record, nowMs);
    }
    return found;
  }

  /** What must hold once a whole run is through. */
  expectClean(found: readonly KeyedRecord[], cleanedOffset: number): void {
    const latest = new Map<string, number>();
    for (const { key, offset } of this.records) {
      if (key !== null && offset < cleanedOffset) latest.set(key, offset);
    }
    for (const { key, offset } of found) {
      if (key !== null && offset < cleanedOffset)
        expect(offset, `the last of "${key}"`).toBe(latest.get(key));
    }
  }

  #isLatest({ key, offset }: KeyedRecord): boolean {
    return !this.records.some((other) => other.key === key && other.offset > offset);
  }

  #expectExpired({ offset, value }: KeyedRecord, nowMs: number): void {
    expect(value, `the last value of a key stays: ${offset}`).toBeNull();
    const firstRunMs = this.#firstRunMs.get(offset) ?? Number.POSITIVE_INFINITY;
    expect(nowMs, `the tombstone ${offset} stays its time`).toBeGreaterThanOrEqual(
      firstRunMs + deleteRetentionMs,
    );
  }
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes && Buffer.from(bytes).toString();
}

function bytesOf(text: string | null): Uint8Array | null {
  return text === null ? null : Buffer.from(text);
}
