import assert from "node:assert/strict";
import type { Compression } from "#protocol/compression/compression.ts";
import { buildBatch, type RecordInput } from "#protocol/records/batch-builder.ts";

/** What makes retries harmless: the broker knows a batch again by producer and sequence. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** A batch as it is sent, again and again if need be. */
export interface BuiltBatch {
  readonly partition: number;
  readonly bytes: Uint8Array;
  readonly recordCount: number;
  /** Keys and values. */
  readonly sizeBytes: number;
  /** What the batch's records were counted with when they were added. */
  readonly bufferedBytes: number;
  readonly firstSentMs: number;
}

/** Memory of a record beside its key and value, roughly: many empty records count too. */
const recordOverheadBytes = 64;

/** Sequences begin again at 0 after 2^31 - 1. */
const sequenceModulus = 2 ** 31;

/** Records waiting for one partition, and the one batch that is under way. */
export class PartitionQueue {
  readonly partition: number;
  readonly #options: { readonly compression: Compression; readonly batchBytes: number };
  readonly #identity: ProducerIdentity | undefined;
  #records: RecordInput[] = [];
  #batch: BuiltBatch | undefined;
  #isUnderWay = false;
  #nextSequence = 0;

  constructor(
    partition: number,
    options: { readonly compression: Compression; readonly batchBytes: number },
    identity: ProducerIdentity | undefined,
  ) {
    this.partition = partition;
    this.#options = options;
    this.#identity = identity;
  }

  get isEmpty(): boolean {
    return !this.#batch && this.#records.length === 0;
  }

  /** There is something to send, and nothing under way. */
  get isReady(): boolean {
    return !this.#isUnderWay && !this.isEmpty;
  }

  /** Answers what the record counts for, in bytes. */
  add(record: RecordInput): number {
    this.#records.push(record);
    return sizeOf(record) + recordOverheadBytes;
  }

  /** The batch to send: the one that was put back, or the next one. */
  take(nowMs: number): BuiltBatch {
    assert(this.isReady);
    this.#isUnderWay = true;
    this.#batch ??= this.#build(nowMs);
    return this.#batch;
  }

  /** The batch is written. */
  finish(): void {
    assert(this.#batch && this.#isUnderWay);
    this.#nextSequence = (this.#nextSequence + this.#batch.recordCount) % sequenceModulus;
    this.#batch = undefined;
    this.#isUnderWay = false;
  }

  /** The batch is to be sent again. */
  putBack(): void {
    assert(this.#batch && this.#isUnderWay);
    this.#isUnderWay = false;
  }

  #build(nowMs: number): BuiltBatch {
    let count = 0;
    let sizeBytes = 0;
    for (const record of this.#records) {
      const size = sizeOf(record) + recordOverheadBytes;
      if (count > 0 && sizeBytes + size > this.#options.batchBytes) break;
      sizeBytes += size;
      count++;
    }
    const records = this.#records.slice(0, count);
    this.#records = this.#records.slice(count);
    const bytes = buildBatch({
      records,
      compression: this.#options.compression,
      ...(this.#identity && { ...this.#identity, baseSequence: this.#nextSequence }),
    });
    return {
      partition: this.partition,
      bytes,
      recordCount: count,
      sizeBytes: sizeBytes - count * recordOverheadBytes,
      bufferedBytes: sizeBytes,
      firstSentMs: nowMs,
    };
  }
}

function sizeOf({ key, value, headers = [] }: RecordInput): number {
  const headerBytes = headers.reduce(
    (sum, header) => sum + header.key.length + (header.value?.length ?? 0),
    0,
  );
  return (key?.length ?? 0) + (value?.length ?? 0) + headerBytes;
}
