import { readBatchHeader, sealBatch, writeBatchHeader } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";

/** What the records of a load look like. */
export interface RecordShape {
  /** Bytes of one value. */
  readonly valueBytes: number;
  /** Bytes of one key; 0 for none. */
  readonly keyBytes: number;
}

/** The producer's own numbering, which is all that differs between two uses of a batch. */
export interface ProducerStamp {
  readonly producerId: number;
  readonly baseSequence: number;
}

/**
 * Batches made ahead, of random bytes that no disk or file system can squeeze, by their number of records.
 *
 * A batch is lent while its request is under way, so that its bytes stay as they are, and comes back after.
 */
export class BatchPool {
  readonly #shape: RecordShape;
  readonly #random: () => number;
  readonly #nowMs: number;
  readonly #free: Uint8Array[][] = [];

  constructor(shape: RecordShape, { random, nowMs }: { random: () => number; nowMs: number }) {
    this.#shape = shape;
    this.#random = random;
    this.#nowMs = nowMs;
  }

  /** A batch of so many records with the producer's numbers in it. */
  take(records: number, stamp: ProducerStamp): Uint8Array {
    const batch = this.#free[records]?.pop() ?? this.#make(records);
    stampProducer(batch, stamp);
    return batch;
  }

  giveBack(records: number, batch: Uint8Array): void {
    let free = this.#free[records];
    if (!free) {
      free = [];
      this.#free[records] = free;
    }
    free.push(batch);
  }

  #make(records: number): Uint8Array {
    const { valueBytes, keyBytes } = this.#shape;
    return buildBatch({
      records: Array.from({ length: records }, () => ({
        timestampMs: this.#nowMs,
        key: keyBytes > 0 ? this.#randomBytes(keyBytes) : null,
        value: this.#randomBytes(valueBytes),
      })),
      producerId: 0,
      producerEpoch: 0,
      baseSequence: 0,
    });
  }

  #randomBytes(sizeBytes: number): Uint8Array {
    const bytes = new Uint8Array(sizeBytes);
    for (let at = 0; at < sizeBytes; at++) bytes[at] = Math.floor(this.#random() * 256);
    return bytes;
  }
}

/** Sets the producer's fields in place; they lie inside the checksum, which is made anew. */
function stampProducer(batch: Uint8Array, { producerId, baseSequence }: ProducerStamp): void {
  const header = readBatchHeader(batch, 0);
  writeBatchHeader(batch, 0, { ...header, baseOffset: 0, producerId, producerEpoch: 0, baseSequence });
  sealBatch(batch, 0, batch.length);
}
