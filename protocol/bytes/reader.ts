import { ProtocolError } from "./protocol-error.ts";
import { readUuid, uuidSizeBytes } from "./uuid.ts";
import { type Cursor, readUnsignedVarint } from "./varint.ts";

/** How many array elements one message may hold: a bound on what a small frame can make the decoder allocate. */
const elementCountMax = 1 << 20;

/**
 * Reads Kafka's primitive types from bytes, front to back.
 *
 * Every length is checked against the remaining bytes before anything is allocated. Byte values are views of the
 * input, never copies. All methods throw ProtocolError, and leave the position undefined when they do.
 */
export class Reader implements Cursor {
  readonly bytes: Buffer;
  readonly end: number;
  position = 0;
  readonly #view: DataView;
  #elementsLeft: number;

  constructor(bytes: Uint8Array, limits: { elementCountMax?: number } = {}) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.end = bytes.length;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#elementsLeft = limits.elementCountMax ?? elementCountMax;
  }

  get remainingBytes(): number {
    return this.end - this.position;
  }

  int8(): number {
    return this.#view.getInt8(this.#take(1));
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  /** An int64 as a safe integer; one beyond ±(2^53 − 1) is refused, not rounded. */
  int64(): number {
    const position = this.#take(8);
    const value = this.#view.getInt32(position) * 2 ** 32 + this.#view.getUint32(position + 4);
    if (!Number.isSafeInteger(value)) {
      throw new ProtocolError("outOfRange", `Cannot read int64 at ${position}: not a safe integer`);
    }
    return value;
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  /** Any non-zero byte is true, as in Kafka. */
  boolean(): boolean {
    return this.#view.getInt8(this.#take(1)) !== 0;
  }

  uuid(): string {
    return readUuid(this.bytes, this.#take(uuidSizeBytes));
  }

  unsignedVarint(): number {
    return readUnsignedVarint(this);
  }

  string(): string {
    return this.#text(this.#present(this.int16()));
  }

  nullableString(): string | null {
    const length = this.int16();
    return length === -1 ? null : this.#text(length);
  }

  compactString(): string {
    return this.#text(this.#present(this.unsignedVarint() - 1));
  }

  compactNullableString(): string | null {
    const length = this.unsignedVarint() - 1;
    return length === -1 ? null : this.#text(length);
  }

  byteString(): Uint8Array {
    return this.#slice(this.#present(this.int32()));
  }

  nullableBytes(): Uint8Array | null {
    const length = this.int32();
    return length === -1 ? null : this.#slice(length);
  }

  compactBytes(): Uint8Array {
    return this.#slice(this.#present(this.unsignedVarint() - 1));
  }

  compactNullableBytes(): Uint8Array | null {
    const length = this.unsignedVarint() - 1;
    return length === -1 ? null : this.#slice(length);
  }

  /** The element count of an array whose elements take at least `elementSizeMin` bytes each. */
  arrayLength(elementSizeMin: number): number {
    return this.#elements(this.#present(this.int32()), elementSizeMin);
  }

  /** Like `arrayLength`, with −1 for a null array. */
  nullableArrayLength(elementSizeMin: number): number {
    const length = this.int32();
    return length === -1 ? -1 : this.#elements(length, elementSizeMin);
  }

  compactArrayLength(elementSizeMin: number): number {
    return this.#elements(this.#present(this.unsignedVarint() - 1), elementSizeMin);
  }

  compactNullableArrayLength(elementSizeMin: number): number {
    const length = this.unsignedVarint() - 1;
    return length === -1 ? -1 : this.#elements(length, elementSizeMin);
  }

  /** The presence byte of a nullable struct: negative is null. */
  isStructPresent(): boolean {
    return this.int8() >= 0;
  }

  /** Skips a whole section of tagged fields (KIP-482), none of which the caller knows. */
  skipTaggedFields(): void {
    for (let count = this.unsignedVarint(); count > 0; count--) {
      this.unsignedVarint();
      this.position = this.taggedFieldEnd();
    }
  }

  /** Reads a tagged field's size and returns the position where the field ends. */
  taggedFieldEnd(): number {
    const size = this.unsignedVarint();
    if (size > this.remainingBytes) this.#refuse(size);
    return this.position + size;
  }

  /** Fails unless a known tagged field took exactly its announced size. */
  expectPosition(position: number): void {
    if (this.position !== position) {
      throw new ProtocolError(
        "malformed",
        `Cannot read tagged field: ends at ${this.position}, not ${position}`,
      );
    }
  }

  /** Fails if bytes are left over: a message fills its frame. */
  expectEnd(): void {
    if (this.position !== this.end) {
      throw new ProtocolError("malformed", `Cannot read message: ${this.remainingBytes} bytes left over`);
    }
  }

  #take(sizeBytes: number): number {
    const position = this.position;
    if (sizeBytes > this.end - position) this.#refuse(sizeBytes);
    this.position = position + sizeBytes;
    return position;
  }

  #present(length: number): number {
    if (length === -1)
      throw new ProtocolError("malformed", `Cannot read null at ${this.position}: not nullable here`);
    return length;
  }

  #text(length: number): string {
    const start = this.#span(length);
    return length === 0 ? "" : this.bytes.toString("utf8", start, start + length);
  }

  #slice(length: number): Uint8Array {
    const start = this.#span(length);
    return this.bytes.subarray(start, start + length);
  }

  #span(length: number): number {
    if (length < 0)
      throw new ProtocolError("malformed", `Cannot read length ${length} at ${this.position}: negative`);
    return this.#take(length);
  }

  #elements(count: number, elementSizeMin: number): number {
    if (count < 0) throw new ProtocolError("malformed", `Cannot read array of ${count} elements: negative`);
    if (count * elementSizeMin > this.remainingBytes) {
      throw new ProtocolError(
        "truncated",
        `Cannot read array of ${count} elements: ${this.remainingBytes} bytes left`,
      );
    }
    this.#elementsLeft -= count;
    if (this.#elementsLeft < 0) {
      throw new ProtocolError("malformed", `Cannot read array of ${count} elements: too many in one message`);
    }
    return count;
  }

  #refuse(sizeBytes: number): never {
    const state = `${this.remainingBytes} bytes left`;
    throw new ProtocolError("truncated", `Cannot read ${sizeBytes} bytes at ${this.position}: ${state}`);
  }
}
