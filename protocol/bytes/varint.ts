/**
 * Variable-length integers: seven bits per byte, lowest first, the top bit set on all but the last byte.
 *
 * | kind            | used for                               | bytes |
 * |-----------------|----------------------------------------|-------|
 * | unsigned varint | compact lengths, tags                  | 1..5  |
 * | varint          | record lengths, zigzag int32           | 1..5  |
 * | varlong         | timestamp deltas, zigzag int64         | 1..10 |
 *
 * Readers move the cursor and accept padded encodings, as Kafka does; writers return the position after the value.
 */
import { ProtocolError } from "./protocol-error.ts";

/** A place in bytes that reads move forward; `end` is exclusive and never beyond `bytes.length`. */
export interface Cursor {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;
}

/** Reads an unsigned 32-bit varint; throws ProtocolError when truncated or longer than 5 bytes. */
export function readUnsignedVarint(cursor: Cursor): number {
  const { bytes } = cursor;
  let position = cursor.position;
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = nextByte(cursor, position++);
    if (shift === 28 && byte > 0x0f) break; // Bits beyond the 32nd, or a sixth byte.
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      cursor.position = position;
      return value >>> 0;
    }
  }
  throw new ProtocolError(
    "malformed",
    `Cannot read varint at ${cursor.position}: more than 32 bits in ${bytes.length} bytes`,
  );
}

/** Reads a zigzag int32. */
export function readVarint(cursor: Cursor): number {
  const raw = readUnsignedVarint(cursor);
  return (raw >>> 1) ^ -(raw & 1);
}

/** Reads a zigzag int64 as a safe integer; throws ProtocolError beyond ±(2^53 − 1) or 10 bytes. */
export function readVarlong(cursor: Cursor): number {
  let position = cursor.position;
  let low = 0; // Bits 0..27 of the zigzag value.
  let high = 0; // Bits 28 and up; exact up to 2^53.
  for (let index = 0; index < 10; index++) {
    const byte = nextByte(cursor, position++);
    const bits = byte & 0x7f;
    if (index < 4) low |= bits << (7 * index);
    else high += bits * 2 ** (7 * (index - 4));
    if (byte >= 0x80) continue;

    cursor.position = position;
    // Undo the zigzag in halves: the whole raw value may need one bit more than a double holds.
    const half = high * 2 ** 27 + (low >>> 1);
    if (half > Number.MAX_SAFE_INTEGER) break;
    const value = (low & 1) === 0 ? half : -half - 1;
    if (value < Number.MIN_SAFE_INTEGER) break;
    return value;
  }
  throw new ProtocolError("outOfRange", `Cannot read varlong at ${cursor.position}: not a safe integer`);
}

/** Writes an unsigned 32-bit varint and returns the position after it; the caller has ensured room for 5 bytes. */
export function writeUnsignedVarint(bytes: Uint8Array, position: number, value: number): number {
  let next = position;
  let rest = value >>> 0;
  while (rest >= 0x80) {
    bytes[next++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[next++] = rest;
  return next;
}

/** Writes a zigzag int32 and returns the position after it. */
export function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  return writeUnsignedVarint(bytes, position, (value << 1) ^ (value >> 31));
}

/** Writes a zigzag safe integer and returns the position after it; the caller has ensured room for 10 bytes. */
export function writeVarlong(bytes: Uint8Array, position: number, value: number): number {
  if (value === (value | 0)) return writeVarint(bytes, position, value);
  let { low, high } = zigzagParts(value);
  let next = position;
  for (let index = 0; index < 4; index++) {
    bytes[next++] = (low & 0x7f) | 0x80; // Beyond int32 there are always more than 28 bits.
    low >>>= 7;
  }
  while (high >= 0x80) {
    bytes[next++] = (high % 0x80) | 0x80;
    high = Math.floor(high / 0x80);
  }
  bytes[next++] = high;
  return next;
}

/** Size in bytes of an unsigned 32-bit varint. */
export function unsignedVarintSizeBytes(value: number): number {
  const bits = 32 - Math.clz32(value);
  return bits <= 7 ? 1 : Math.ceil(bits / 7);
}

/** Size in bytes of a zigzag int32. */
export function varintSizeBytes(value: number): number {
  return unsignedVarintSizeBytes((value << 1) ^ (value >> 31));
}

/** Size in bytes of a zigzag safe integer. */
export function varlongSizeBytes(value: number): number {
  if (value === (value | 0)) return varintSizeBytes(value);
  let { high } = zigzagParts(value);
  let size = 5;
  while (high >= 0x80) {
    high = Math.floor(high / 0x80);
    size++;
  }
  return size;
}

/** The zigzag form of a safe integer: its low 28 bits, and the rest (up to 26 bits). */
function zigzagParts(value: number): { low: number; high: number } {
  const half = value < 0 ? -value - 1 : value;
  const low = ((half % 2 ** 27) * 2 + (value < 0 ? 1 : 0)) >>> 0;
  return { low, high: Math.floor(half / 2 ** 27) };
}

function nextByte(cursor: Cursor, position: number): number {
  if (position >= cursor.end) {
    throw new ProtocolError(
      "truncated",
      `Cannot read varint at ${cursor.position}: bytes end at ${cursor.end}`,
    );
  }
  return cursor.bytes[position] as number;
}
