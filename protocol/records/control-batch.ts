import { ProtocolError } from "../bytes/protocol-error.ts";
import { attributesOf, readBatchHeader } from "./batch.ts";
import { buildBatch } from "./batch-builder.ts";
import { readRecords } from "./record.ts";

/*
 * A control batch holds one record that is meant for readers of the log, not for applications (KIP-98):
 *
 *   key      version int16 (0), type int16 (0 abort, 1 commit; higher ones are KRaft's)
 *   value    version int16 (0), coordinator epoch int32
 */
const types = { abort: 0, commit: 1 } as const;
const keyBytes = 4;
const valueBytes = 6;

/** A marker is a few dozen bytes and never compressed; anything that expands past this is none. */
const markerBytesMax = 1024;

/** How a transaction ended. */
export type TransactionOutcome = keyof typeof types;

/** The end of a producer's transaction in one partition. */
export interface TransactionMarker {
  readonly outcome: TransactionOutcome;
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Which term of the transaction coordinator decided. */
  readonly coordinatorEpoch: number;
  readonly timestampMs: number;
}

/** What a control batch says; "other" is a type that this broker has no use for. */
export type ControlRecord =
  | ({ readonly kind: "transactionMarker" } & TransactionMarker)
  | { readonly kind: "other"; readonly type: number };

/** Writes the batch that ends a transaction; it takes one offset. */
export function buildTransactionMarker(
  marker: TransactionMarker & { readonly baseOffset: number; readonly leaderEpoch: number },
): Uint8Array {
  const key = Buffer.alloc(keyBytes);
  key.writeInt16BE(types[marker.outcome], 2);
  const value = Buffer.alloc(valueBytes);
  value.writeInt32BE(marker.coordinatorEpoch, 2);
  return buildBatch({
    baseOffset: marker.baseOffset,
    leaderEpoch: marker.leaderEpoch,
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    isTransactional: true,
    isControl: true,
    records: [{ timestampMs: marker.timestampMs, key, value }],
  });
}

/** Reads a whole, intact batch; undefined when it is none of control. @throws ProtocolError, CompressionError */
export function readControlBatch(batch: Uint8Array): ControlRecord | undefined {
  const header = readBatchHeader(batch, 0);
  if (!attributesOf(header).isControl) return undefined;

  const [record] = readRecords(batch, { decompressedBytesMax: markerBytesMax });
  const key = viewOf(record?.key, keyBytes);
  const type = key.getInt16(2);
  if (type !== types.abort && type !== types.commit) return { kind: "other", type };

  return {
    kind: "transactionMarker",
    outcome: type === types.commit ? "commit" : "abort",
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    coordinatorEpoch: viewOf(record?.value, valueBytes).getInt32(2),
    timestampMs: record?.timestampMs ?? -1,
  };
}

/** Later versions may append fields, so more bytes than these are fine. */
function viewOf(bytes: Uint8Array | null | undefined, bytesMin: number): DataView {
  if (!bytes || bytes.length < bytesMin) {
    throw new ProtocolError(
      "malformed",
      `Cannot read control record: ${bytes?.length ?? 0} bytes of ${bytesMin}`,
    );
  }
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
