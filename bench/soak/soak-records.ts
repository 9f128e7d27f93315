import { buildBatch, type RecordInput } from "#protocol/records/batch-builder.ts";
import type { DecodedRecord } from "#protocol/records/record.ts";
import type { PartitionLedger } from "./ledger.ts";
import type { SoakTopic } from "./soak-plan.ts";

/** The header in which a record carries its number: 4 bytes, big-endian. */
const numberHeader = "number";
/** Of the records with a key, one in so many deletes it. */
const deletionEvery = 20;
const randomBytes = 1 << 20;

/** Who numbers the batches. */
export interface ProducerNumber {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** A batch on its way, with what has to be noted when it is acknowledged. */
export interface SoakBatch {
  readonly ledger: PartitionLedger;
  readonly first: number;
  readonly records: number;
  readonly bytes: Uint8Array;
  readonly keys: readonly { readonly key: string; readonly number: number; readonly isDeletion: boolean }[];
}

/** Makes batches of numbered records whose bytes no disk can squeeze. */
export class BatchMaker {
  readonly #random: () => number;
  readonly #bytes: Buffer;

  constructor(random: () => number) {
    this.#random = random;
    this.#bytes = Buffer.alloc(randomBytes);
    for (let at = 0; at < randomBytes; at++) this.#bytes[at] = Math.floor(random() * 256);
  }

  /** The next records of a partition, which take their numbers with this. */
  next(topic: SoakTopic, ledger: PartitionLedger, count: number, producer: ProducerNumber): SoakBatch {
    const first = ledger.sentCount;
    ledger.sentCount += count;
    const keys: { key: string; number: number; isDeletion: boolean }[] = [];
    const records = Array.from({ length: count }, (_, at): RecordInput => {
      const number = first + at;
      const key = topic.keys > 0 ? `account-${Math.floor(this.#random() * topic.keys)}` : undefined;
      const isDeletion = key !== undefined && number % deletionEvery === 0;
      if (key !== undefined) keys.push({ key, number, isDeletion });
      return {
        timestampMs: Date.now(),
        key: key === undefined ? null : Buffer.from(key),
        value: isDeletion ? null : this.#value(topic.valueBytes),
        headers: [{ key: numberHeader, value: encodeNumber(number) }],
      };
    });
    return {
      ledger,
      first,
      records: count,
      bytes: buildBatch({ records, ...producer, baseSequence: first }),
      keys,
    };
  }

  #value(sizeBytes: number): Uint8Array {
    const start = Math.floor(this.#random() * (randomBytes - sizeBytes));
    return this.#bytes.subarray(start, start + sizeBytes);
  }
}

/** The number that a record was sent with; undefined when it carries none. */
export function numberOf({ headers }: Pick<DecodedRecord, "headers">): number | undefined {
  const value = headers.find(({ key }) => key === numberHeader)?.value;
  if (value?.length !== 4) return undefined;
  return new DataView(value.buffer, value.byteOffset, 4).getUint32(0);
}

function encodeNumber(number: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}
