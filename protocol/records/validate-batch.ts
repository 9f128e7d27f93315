import type { Compression } from "../compression/compression.ts";
import {
  attributesOf,
  type BatchHeader,
  batchHeaderBytes,
  batchPrefixBytes,
  isIntact,
  magicPosition,
  readBatchHeader,
} from "./batch.ts";

/** What one partition's `records` in a produce request turned out to be; `reason` is fit for the client's eyes. */
export type BatchVerdict =
  | { readonly kind: "valid"; readonly header: BatchHeader; readonly compression: Compression }
  /** Damaged on the way: lengths or checksum do not hold. */
  | { readonly kind: "corrupt"; readonly reason: string }
  | { readonly kind: "tooLarge"; readonly reason: string }
  /** Magic 0 or 1, which brokers no longer take (KIP-896). */
  | { readonly kind: "unsupportedMagic"; readonly reason: string }
  | { readonly kind: "unsupportedCompression"; readonly reason: string }
  | { readonly kind: "invalidTimestamp"; readonly reason: string }
  /** Intact, but says what a client may not say. */
  | { readonly kind: "invalidRecord"; readonly reason: string };

export type InvalidBatch = Exclude<BatchVerdict, { kind: "valid" }>;

/** What the topic and the request's version allow. */
export interface BatchLimits {
  /** The topic's `max.message.bytes`: header and compressed records together. */
  readonly sizeBytesMax: number;
  /** False below Produce version 7 (KIP-110). */
  readonly isZstdAllowed: boolean;
}

/**
 * Judges what a client sent to one partition: exactly one batch, whole, and stating nothing that only a broker may.
 *
 * Looks at the header and the checksum only; the records stay opaque. Checks run in Kafka's order, so that a batch
 * with several faults gets the error that its client would have got from Kafka.
 */
export function validateBatch(bytes: Uint8Array, limits: BatchLimits): BatchVerdict {
  const header = readFramed(bytes);
  if ("kind" in header) return header;

  const { compression, ...attributes } = attributesOf(header);
  if (!compression) {
    return {
      kind: "unsupportedCompression",
      reason: `No codec has the id in attributes ${header.attributes}`,
    };
  }
  if (compression === "zstd" && !limits.isZstdAllowed) {
    return { kind: "unsupportedCompression", reason: "zstd needs Produce version 7 or later" };
  }
  if (header.sizeBytes > limits.sizeBytesMax) {
    return {
      kind: "tooLarge",
      reason: `Batch of ${header.sizeBytes} bytes exceeds max.message.bytes ${limits.sizeBytesMax}`,
    };
  }
  if (!isIntact(bytes, 0, header)) return { kind: "corrupt", reason: "Checksum does not match" };

  const invalid =
    checkOffsets(header) ?? checkAttributes(attributes, header) ?? checkProducer(attributes, header);
  if (invalid) return { kind: "invalidRecord", reason: invalid };
  const invalidTimestamp = checkTimestamps(attributes, header);
  if (invalidTimestamp) return { kind: "invalidTimestamp", reason: invalidTimestamp };
  return { kind: "valid", header, compression };
}

type Attributes = Omit<ReturnType<typeof attributesOf>, "compression">;

/** One batch of magic 2 fills the bytes. The magic comes before lengths: older formats have other headers. */
function readFramed(bytes: Uint8Array): BatchHeader | InvalidBatch {
  if (bytes.length === 0) return { kind: "invalidRecord", reason: "Expected exactly one batch, found none" };
  const magic = bytes[magicPosition];
  if (magic === undefined)
    return { kind: "invalidRecord", reason: `Batch cut off after ${bytes.length} bytes` };
  if (magic > 2) return { kind: "corrupt", reason: `Magic ${magic} was never in use` };
  if (magic !== 2) return { kind: "unsupportedMagic", reason: `Expected magic 2, found ${magic}` };
  if (bytes.length < batchHeaderBytes) {
    return { kind: "invalidRecord", reason: `Batch cut off after ${bytes.length} bytes` };
  }

  const header = readBatchHeader(bytes, 0);
  const { sizeBytes } = header;
  if (sizeBytes < batchHeaderBytes) return { kind: "corrupt", reason: `Batch claims ${sizeBytes} bytes` };
  const extraBytes = bytes.length - sizeBytes;
  if (extraBytes < 0) {
    return { kind: "invalidRecord", reason: `Batch claims ${sizeBytes} bytes, ${bytes.length} are there` };
  }
  if (extraBytes >= batchPrefixBytes) {
    return { kind: "invalidRecord", reason: "Expected exactly one batch, found more" };
  }
  return extraBytes > 0 ? { kind: "corrupt", reason: `${extraBytes} bytes after the batch` } : header;
}

function checkOffsets({ baseOffset, recordCount, lastOffsetDelta }: BatchHeader): string | undefined {
  if (baseOffset !== 0) return `Base offset must be 0, found ${baseOffset}`;
  if (recordCount < 1) return `Expected at least one record, found ${recordCount}`;
  if (lastOffsetDelta !== recordCount - 1) {
    return `Last offset delta ${lastOffsetDelta} does not fit ${recordCount} records`;
  }
  return undefined;
}

function checkAttributes(attributes: Attributes, header: BatchHeader): string | undefined {
  if (attributes.isControl) return "Clients may not write control batches";
  if (attributes.hasDeleteHorizon) return "Clients may not set a delete horizon";
  if (attributes.hasUnknownBits) return `Unknown bits in attributes ${header.attributes}`;
  return undefined;
}

/** Without a producer id the epoch and sequence mean nothing, and some clients leave them at 0: they are ignored. */
function checkProducer(attributes: Attributes, header: BatchHeader): string | undefined {
  const { producerId, producerEpoch, baseSequence } = header;
  if (producerId === -1) {
    return attributes.isTransactional ? "A transactional batch needs a producer id" : undefined;
  }
  if (producerId < 0 || producerId > Number.MAX_SAFE_INTEGER) return `Invalid producer id ${producerId}`;
  if (producerEpoch < 0) return `Invalid epoch ${producerEpoch} of producer ${producerId}`;
  if (baseSequence < 0) return `Invalid sequence number ${baseSequence} of producer ${producerId}`;
  return undefined;
}

/** -1 is "no timestamp" and allowed. A maximum below the base is the records' matter: it takes decoding to judge. */
function checkTimestamps(attributes: Attributes, header: BatchHeader): string | undefined {
  if (attributes.timestampType === "logAppendTime") return "Clients may not set the log append time";
  for (const timestampMs of [header.baseTimestampMs, header.maxTimestampMs]) {
    if (timestampMs < -1 || timestampMs > Number.MAX_SAFE_INTEGER) return `Invalid timestamp ${timestampMs}`;
  }
  return undefined;
}
