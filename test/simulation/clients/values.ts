import type { Compression } from "#protocol/compression/compression.ts";
import { isIntact, readBatches } from "#protocol/records/batch.ts";
import { buildBatch, type RecordInput } from "#protocol/records/batch-builder.ts";
import { readRecords } from "#protocol/records/record.ts";

/** What a producer stamps into a batch. */
export interface BatchIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

const prefixBytes = 8;

/** A record whose content follows from its value, so that a reader can tell when a byte is wrong. */
export function recordOf(value: number, sizeBytes: number, timestampMs: number): RecordInput {
  return { timestampMs, key: keyOf(value), value: contentOf(value, Math.max(prefixBytes, sizeBytes)) };
}

export function batchOf(
  records: readonly RecordInput[],
  identity: BatchIdentity | undefined,
  compression: Compression,
): Uint8Array {
  return buildBatch({ records, compression, ...identity });
}

export interface FoundValue {
  readonly offset: number;
  readonly value: number;
  /** Undefined where all is as it was sent. */
  readonly damage: string | undefined;
}

/** The values of a fetch's records, checked byte by byte; a cut-off last batch is left out, as readers do. */
export function* valuesIn(records: Uint8Array | null): Generator<FoundValue> {
  if (!records) return;
  for (const { batch, header } of readBatches(records)) {
    if (!isIntact(batch, 0, header)) {
      yield { offset: header.baseOffset, value: -1, damage: "its batch has a wrong checksum" };
      continue;
    }
    for (const record of readRecords(batch, { decompressedBytesMax: 1 << 26 })) {
      const bytes = Buffer.from(record.value ?? []);
      const value = bytes.length >= prefixBytes ? Number(bytes.readBigUInt64BE(0)) : -1;
      const isWhole =
        bytes.equals(contentOf(value, bytes.length)) && keyOf(value).equals(record.key ?? Buffer.alloc(0));
      yield {
        offset: record.offset,
        value,
        damage: isWhole ? undefined : "its content is not what was sent",
      };
    }
  }
}

function keyOf(value: number): Buffer {
  return Buffer.from(`k${value % 7}`);
}

function contentOf(value: number, sizeBytes: number): Buffer {
  const content = Buffer.alloc(sizeBytes, (value * 31 + 7) & 0xff);
  if (sizeBytes >= prefixBytes && value >= 0) content.writeBigUInt64BE(BigInt(value));
  return content;
}
