import { ProtocolError } from "../bytes/protocol-error.ts";
import { type Cursor, readVarint, readVarlong } from "../bytes/varint.ts";

/*
 * A record inside a batch; integers are zigzag varints:
 *
 *   length, attributes (1 byte, unused), timestamp delta (64-bit), offset delta,
 *   key length (-1 null), key, value length (-1 null), value,
 *   header count, then per header: key length, key (UTF-8), value length (-1 null), value
 */

/**
 * Walks uncompressed records without making objects: after `next`, the fields describe the record just passed.
 *
 * Every length is checked against the record that it lies in, so nothing here reads or promises more than is there.
 */
export class RecordCursor implements Cursor {
  readonly bytes: Uint8Array;
  /** Where reading goes on; with `end`, the record's own bounds while one is read. */
  position = 0;
  end: number;

  /** Where the record starts, its length included. */
  recordPosition = 0;
  offsetDelta = 0;
  timestampDelta = 0;
  /** Where the key's length starts; a record's times and offset lie before it. */
  keyFieldPosition = 0;
  keyPosition = 0;
  /** -1 for null, as for `valueBytes`. */
  keyBytes = -1;
  valuePosition = 0;
  valueBytes = -1;
  headerCount = 0;
  headersPosition = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  /** Moves past the next record; false at the end. @throws ProtocolError */
  next(): boolean {
    this.recordPosition = this.position;
    this.end = this.bytes.length;
    if (this.position === this.end) return false;

    this.end = this.#recordEnd();
    this.#skip(1);
    this.timestampDelta = readVarlong(this);
    this.offsetDelta = readVarint(this);
    this.keyFieldPosition = this.position;
    this.keyBytes = readNullableLength(this);
    this.keyPosition = this.position;
    this.#skip(this.keyBytes);
    this.valueBytes = readNullableLength(this);
    this.valuePosition = this.position;
    this.#skip(this.valueBytes);
    this.headerCount = readVarint(this);
    this.headersPosition = this.position;
    this.#skipHeaders();
    return true;
  }

  #recordEnd(): number {
    const length = readVarint(this);
    const left = this.end - this.position;
    if (length < 0 || length > left) throw malformed(`length ${length} where ${left} bytes are left`);
    return this.position + length;
  }

  #skipHeaders(): void {
    if (this.headerCount < 0) throw malformed(`${this.headerCount} headers`);
    for (let index = 0; index < this.headerCount; index++) {
      const keyBytes = readNullableLength(this);
      if (keyBytes < 0) throw malformed("header without a key");
      this.#skip(keyBytes);
      this.#skip(readNullableLength(this));
    }
    if (this.position !== this.end)
      throw malformed(`${this.end - this.position} bytes after the last header`);
  }

  #skip(sizeBytes: number): void {
    if (sizeBytes > this.end - this.position) throw malformed(`field of ${sizeBytes} bytes passes its end`);
    if (sizeBytes > 0) this.position += sizeBytes;
  }
}

/** Reads the length of bytes that may be null (-1). */
export function readNullableLength(cursor: Cursor): number {
  const length = readVarint(cursor);
  if (length < -1) throw malformed(`field of ${length} bytes`);
  return length;
}

function malformed(reason: string): ProtocolError {
  return new ProtocolError("malformed", `Cannot read record: ${reason}`);
}
