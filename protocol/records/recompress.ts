import { type Compression, compress } from "../compression/compression.ts";
import {
  attributesOf,
  batchHeaderBytes,
  readBatchHeader,
  sealBatch,
  withCompression,
  writeBatchHeader,
} from "./batch.ts";
import { type DecompressionBound, recordBytes } from "./record.ts";

/** How a topic's `compression.type` wants its batches; `level` as in `compress`. */
export interface RecompressionTarget extends DecompressionBound {
  readonly compression: Compression;
  readonly level?: number;
}

/**
 * The same batch under another codec, or the batch itself where it has that codec already.
 *
 * The records' bytes stay as the client wrote them; only the wrapping changes.
 * @throws ProtocolError, CompressionError
 */
export function recompress(
  batch: Uint8Array,
  { compression, level, ...bound }: RecompressionTarget,
): Uint8Array {
  const header = readBatchHeader(batch, 0);
  if (attributesOf(header).compression === compression) return batch;

  const records = compress(compression, recordBytes(batch, header, bound), level);
  const made = Buffer.allocUnsafe(batchHeaderBytes + records.length);
  made.set(records, batchHeaderBytes);
  writeBatchHeader(made, 0, {
    ...header,
    sizeBytes: made.length,
    attributes: withCompression(header.attributes, compression),
  });
  sealBatch(made, 0, made.length);
  return made;
}
