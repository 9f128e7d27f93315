import { ProtocolError } from "./protocol-error.ts";
import { uuidSizeBytes, writeUuid } from "./uuid.ts";
import { writeUnsignedVarint } from "./varint.ts";

/** Byte values of this size and up are kept by reference: copying costs more than one more piece in a `writev`. */
const referenceSizeMin = 1024;

const chunkSizeFirst = 512;
const chunkSizeMax = 64 * 1024;

/** Strings up to this length are written byte by byte as long as they are ASCII: a call into C++ costs more. */
const shortStringMax = 16;

/** One byte value, whole or in consecutive pieces: what a fetch reads may lie in several buffers. */
export type ByteRuns = Uint8Array | readonly Uint8Array[];

/** Where a length that is not known yet will go. */
export interface Slot {
  readonly chunk: Buffer;
  readonly position: number;
}

/**
 * Writes Kafka's primitive types into a list of pieces, for a gathering write.
 *
 * Small values are copied into chunks of the writer's own; large byte values become pieces themselves, so the
 * caller must leave them unchanged until the pieces are sent. Numbers out of their type's range are refused.
 */
export class Writer {
  #chunk: Buffer;
  #position = 0;
  /** Where the current piece starts in the chunk. */
  #start = 0;
  #pieces: Uint8Array[] = [];
  #flushedBytes = 0;

  constructor(chunkSizeBytes: number = chunkSizeFirst) {
    this.#chunk = Buffer.allocUnsafe(chunkSizeBytes);
  }

  /** How many bytes were written so far. */
  get sizeBytes(): number {
    return this.#flushedBytes + this.#position - this.#start;
  }

  /** The pieces in order. The writer is done after this. */
  finish(): Uint8Array[] {
    this.#flush();
    return this.#pieces;
  }

  /** Everything as one array: for records and tests, where a gather list has no use. */
  toBytes(): Uint8Array {
    const [first, ...rest] = this.finish();
    if (first === undefined) return new Uint8Array(0);
    return rest.length === 0 ? first : Buffer.concat(this.#pieces, this.#flushedBytes);
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) refuse("int8", value);
    const position = this.#reserve(1);
    this.#chunk[position] = value;
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) refuse("int16", value);
    this.#uint16(value);
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) refuse("uint16", value);
    this.#uint16(value);
  }

  int32(value: number): void {
    if ((value | 0) !== value) refuse("int32", value);
    this.#uint32(value);
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) refuse("uint32", value);
    this.#uint32(value);
  }

  /** Writes a safe integer as int64. */
  int64(value: number): void {
    if (!Number.isSafeInteger(value)) refuse("int64", value);
    this.#uint32(Math.floor(value / 2 ** 32));
    this.#uint32(value); // The low half: bitwise operators keep exactly those 32 bits.
  }

  float64(value: number): void {
    const position = this.#reserve(8);
    this.#chunk.writeDoubleBE(value, position);
  }

  boolean(value: boolean): void {
    const position = this.#reserve(1);
    this.#chunk[position] = value ? 1 : 0;
  }

  uuid(value: string): void {
    const position = this.#reserve(uuidSizeBytes);
    writeUuid(this.#chunk, position, value);
  }

  unsignedVarint(value: number): void {
    if (value >>> 0 !== value) refuse("unsigned varint", value);
    const position = this.#reserve(5);
    this.#position = writeUnsignedVarint(this.#chunk, position, value);
  }

  string(value: string): void {
    if (value.length <= shortStringMax && this.#shortAscii(value, { prefixBytes: 2, prefix: value.length }))
      return;
    const sizeBytes = Buffer.byteLength(value);
    if (sizeBytes > 0x7fff) refuseSize("string", sizeBytes);
    this.#uint16(sizeBytes);
    this.#text(value, sizeBytes);
  }

  nullableString(value: string | null): void {
    if (value === null) this.#uint16(-1);
    else this.string(value);
  }

  compactString(value: string): void {
    if (
      value.length <= shortStringMax &&
      this.#shortAscii(value, { prefixBytes: 1, prefix: value.length + 1 })
    )
      return;
    const sizeBytes = Buffer.byteLength(value);
    if (sizeBytes > 0x7fff) refuseSize("string", sizeBytes);
    this.unsignedVarint(sizeBytes + 1);
    this.#text(value, sizeBytes);
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.unsignedVarint(0);
    else this.compactString(value);
  }

  byteString(value: Uint8Array): void {
    this.int32(value.length);
    this.append(value);
  }

  nullableBytes(value: Uint8Array | null): void {
    if (value === null) this.int32(-1);
    else this.byteString(value);
  }

  compactBytes(value: Uint8Array): void {
    this.unsignedVarint(value.length + 1);
    this.append(value);
  }

  compactNullableBytes(value: Uint8Array | null): void {
    if (value === null) this.unsignedVarint(0);
    else this.compactBytes(value);
  }

  /** Bytes that lie in one piece or in several, which become one value. */
  byteRuns(value: ByteRuns): void {
    if (value instanceof Uint8Array) {
      this.byteString(value);
      return;
    }
    this.int32(sizeOfRuns(value));
    for (const run of value) this.append(run);
  }

  nullableRuns(value: ByteRuns | null): void {
    if (value === null) this.int32(-1);
    else this.byteRuns(value);
  }

  compactRuns(value: ByteRuns): void {
    if (value instanceof Uint8Array) {
      this.compactBytes(value);
      return;
    }
    this.unsignedVarint(sizeOfRuns(value) + 1);
    for (const run of value) this.append(run);
  }

  compactNullableRuns(value: ByteRuns | null): void {
    if (value === null) this.unsignedVarint(0);
    else this.compactRuns(value);
  }

  arrayLength(count: number): void {
    this.int32(count);
  }

  compactArrayLength(count: number): void {
    this.unsignedVarint(count + 1);
  }

  /** Writes a tagged field: its tag, its size and then what `inner` holds. */
  taggedField(tag: number, inner: Writer): void {
    this.unsignedVarint(tag);
    this.unsignedVarint(inner.sizeBytes);
    for (const piece of inner.finish()) this.append(piece);
  }

  /** Adds bytes as they are; large ones by reference. */
  append(bytes: Uint8Array): void {
    if (bytes.length < referenceSizeMin) {
      const position = this.#reserve(bytes.length);
      this.#chunk.set(bytes, position);
      return;
    }
    this.#flush();
    this.#pieces.push(bytes);
    this.#flushedBytes += bytes.length;
  }

  /** Leaves room for an int32 that `patchInt32` fills in later. */
  reserveInt32(): Slot {
    const position = this.#reserve(4);
    return { chunk: this.#chunk, position };
  }

  /** Fills a reserved slot; allowed until the pieces are sent. */
  patchInt32(slot: Slot, value: number): void {
    slot.chunk.writeInt32BE(value, slot.position);
  }

  #uint16(value: number): void {
    const position = this.#reserve(2);
    const chunk = this.#chunk;
    chunk[position] = value >>> 8;
    chunk[position + 1] = value;
  }

  #uint32(value: number): void {
    const position = this.#reserve(4);
    const chunk = this.#chunk;
    chunk[position] = value >>> 24;
    chunk[position + 1] = value >>> 16;
    chunk[position + 2] = value >>> 8;
    chunk[position + 3] = value;
  }

  /** Writes a prefix and an ASCII string, or nothing and returns false if another character turns up. */
  #shortAscii(value: string, { prefixBytes, prefix }: { prefixBytes: 1 | 2; prefix: number }): boolean {
    const start = this.#reserve(prefixBytes + value.length);
    const chunk = this.#chunk;
    let position = start;
    if (prefixBytes === 2) chunk[position++] = 0;
    chunk[position++] = prefix;
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index);
      if (unit > 0x7f) {
        this.#position = start;
        return false;
      }
      chunk[position++] = unit;
    }
    return true;
  }

  #text(value: string, sizeBytes: number): void {
    const position = this.#reserve(sizeBytes);
    this.#chunk.write(value, position, sizeBytes, "utf8");
  }

  /** Claims room for `sizeBytes` in the current chunk, or in a new one, and returns where. */
  #reserve(sizeBytes: number): number {
    const position = this.#position;
    if (position + sizeBytes <= this.#chunk.length) {
      this.#position = position + sizeBytes;
      return position;
    }
    this.#flush();
    this.#chunk = Buffer.allocUnsafe(Math.max(sizeBytes, Math.min(this.#chunk.length * 2, chunkSizeMax)));
    this.#start = 0;
    this.#position = sizeBytes;
    return 0;
  }

  #flush(): void {
    if (this.#position === this.#start) return;
    this.#pieces.push(this.#chunk.subarray(this.#start, this.#position));
    this.#flushedBytes += this.#position - this.#start;
    this.#start = this.#position;
  }
}

function sizeOfRuns(runs: readonly Uint8Array[]): number {
  let sizeBytes = 0;
  for (const run of runs) sizeBytes += run.length;
  return sizeBytes;
}

function refuse(type: string, value: number): never {
  throw new ProtocolError("outOfRange", `Cannot write ${type} "${value}": out of range`);
}

function refuseSize(type: string, sizeBytes: number): never {
  throw new ProtocolError("outOfRange", `Cannot write ${type} of ${sizeBytes} bytes: longer than 32767`);
}
