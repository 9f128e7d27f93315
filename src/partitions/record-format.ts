import { hash } from "node:crypto";
import { ProtocolError } from "#protocol/bytes/protocol-error.ts";
import { CompressionError } from "#protocol/compression/compression-error.ts";
import { attributesOf, readBatchHeader } from "#protocol/records/batch.ts";
import { deleteHorizonOf, emptiedBatch, filterBatch, readKeys } from "#protocol/records/filter-batch.ts";
import type { RecordFormat } from "#storage/retention/record-format.ts";

/** Decompressed bytes of one batch that compaction looks at. */
const decompressedBytesMax = 128 << 20;

/**
 * Kafka's records, as compaction sees them.
 *
 * Transactional and control batches stay as they are: what an aborted transaction wrote supersedes nothing, and
 * nobody here knows yet which ones were aborted. So do records that cannot be read: older ones, of times when the
 * topic was not compacted and nobody looked at what lay in a compressed batch.
 */
export const recordFormat: RecordFormat = {
  isCompactable(batch) {
    const { isTransactional, isControl } = attributesOf(readBatchHeader(batch, 0));
    return !isTransactional && !isControl;
  },

  readKeys: (batch, onKey) => orIfUnreadable(true, () => readKeys(batch, { decompressedBytesMax }, onKey)),

  filter: (batch, filter) =>
    orIfUnreadable(batch, () => filterBatch(batch, { ...filter, decompressedBytesMax })),

  deleteHorizonOf: (batch) => deleteHorizonOf(readBatchHeader(batch, 0)),

  emptied: emptiedBatch,

  // Not for secrecy: it tells keys apart by 128 of its bits, also where somebody has an interest that it does not.
  hashKey: (key) => hash("sha256", key, "buffer"),
};

function orIfUnreadable<T>(instead: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof CompressionError) return instead;
    throw error;
  }
}
