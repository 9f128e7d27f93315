import { batchHeaderBytes, isIntact, readBatchHeader } from "#protocol/records/batch.ts";
import { findTimestamp } from "#protocol/records/find-timestamp.ts";
import type { BatchFormat } from "#storage/log/batch-format.ts";

/** Decompressed bytes of one batch that a search by time looks at. */
const decompressedBytesMax = 128 << 20;

/** Kafka's record batches, as storage sees them. */
export const recordBatchFormat: BatchFormat = {
  headerBytes: batchHeaderBytes,
  readHeader: readBatchHeader,
  isIntact: (bytes, position) => isIntact(bytes, position, readBatchHeader(bytes, position)),
  findTimestamp: (batch, timestampMs, fromOffset = 0) =>
    findTimestamp(batch, timestampMs, { decompressedBytesMax, fromOffset }),
};
