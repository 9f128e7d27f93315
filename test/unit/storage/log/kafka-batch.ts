import { crc32c } from "#protocol/bytes/crc32c.ts";
import { batchHeaderBytes, isIntact, readBatchHeader } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { findTimestamp } from "#protocol/records/find-timestamp.ts";
import type { BatchFormat } from "#storage/log/batch-format.ts";
import type { FakeBatch, fakeBatch } from "./fake-batch.ts";

/** The protocol's batches as the broker plugs them in. */
export const kafkaFormat: BatchFormat = {
  headerBytes: batchHeaderBytes,
  readHeader: readBatchHeader,
  isIntact: (bytes, position) => isIntact(bytes, position, readBatchHeader(bytes, position)),
  findTimestamp: (batch, timestampMs, fromOffset = 0) =>
    findTimestamp(batch, timestampMs, { decompressedBytesMax: 1 << 20, fromOffset }),
};

export const kafkaChecksum = crc32c;

/** As `fakeBatch`, in Kafka's format. */
export const kafkaBatch: typeof fakeBatch = (fields): FakeBatch => {
  const {
    baseOffset,
    timestampsMs = [1000 + baseOffset],
    leaderEpoch = 0,
    fillerBytes = 0,
    fill = 0xab,
  } = fields;
  const value = new Uint8Array(Math.ceil(fillerBytes / timestampsMs.length)).fill(fill);
  const records = timestampsMs.map((timestampMs) => ({ timestampMs, key: null, value, headers: [] }));
  const bytes = buildBatch({ baseOffset, leaderEpoch, records });
  return { bytes, header: readBatchHeader(bytes, 0) };
};
