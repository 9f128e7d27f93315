/**
 * Records of the journal, packed one after the other in a frame's body. Little-endian; u64 values are safe integers.
 *
 * Every record begins with
 *
 * | at | size | field                                                   |
 * |----|------|---------------------------------------------------------|
 * | 0  | u8   | record kind: 1 entry, 2 hard state, 3 floor, 4 forget   |
 * | 1  | u24  | entry: its kind, 1 data, 2 command, 3 noop,             |
 * |    |      | 4 configuration · hard state: bits 31-52 of the vote    |
 * | 4  | u32  | payload bytes of an entry or a floor, else 0            |
 * | 8  | u64  | group                                                   |
 *
 * and goes on by its kind:
 *
 * | entry               | hard state           | floor        | forget |
 * |---------------------|----------------------|--------------|--------|
 * | 16 u64 index        | 16 u64 term          | 16 u64 index |        |
 * | 24 u64 term         | 24 i32 bits 0-30 of  | 24 u64 term  |        |
 * | 32 u64 base offset  |    the vote, or -1   | 32 payload   |        |
 * | 40 u32 offset count |                      |              |        |
 * | 44 payload          |                      |              |        |
 */

import assert from "node:assert/strict";
import type { JournalEntry, JournalEntryKind, JournalFloor, JournalHardState } from "./entry.ts";

const recordKind = { entry: 1, hardState: 2, floor: 3, forget: 4 } as const;

const entryKinds: readonly JournalEntryKind[] = ["data", "command", "noop", "configuration"];
const entryKindCodes = { data: 1, command: 2, noop: 3, configuration: 4 } as const;

/** Bytes of each record; the payload of an entry or a floor comes on top. */
export const recordBytes = { entry: 44, hardState: 28, floor: 32, forget: 16 } as const;

/** Votes below this fit where journals have always had them. */
const voteLowValues = 2 ** 31;

/** Bytes that an entry takes in a frame. */
export function entryRecordBytes(entry: JournalEntry): number {
  return recordBytes.entry + entry.payload.byteLength;
}

/** Memory and a view of it, so that a frame's memory is wrapped once and not for each record. */
export interface RecordMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Writes an entry and copies its payload, once; the caller has made sure that it fits. */
export function writeEntry(
  { bytes, view }: RecordMemory,
  position: number,
  group: number,
  entry: JournalEntry,
): void {
  assert(entry.offsetCount >= 0 && entry.offsetCount <= 0xffff_ffff);
  const kinds = recordKind.entry | (entryKindCodes[entry.kind] << 8);
  writeHead(view, position, { kinds, payloadBytes: entry.payload.byteLength, group });
  writeSafeInteger(view, position + 16, entry.index);
  writeSafeInteger(view, position + 24, entry.term);
  writeSafeInteger(view, position + 32, entry.baseOffset);
  view.setUint32(position + 40, entry.offsetCount, true);
  bytes.set(entry.payload, position + recordBytes.entry);
}

export function writeHardState(
  { view }: RecordMemory,
  position: number,
  group: number,
  state: JournalHardState,
): void {
  const { votedFor } = state;
  const high = Math.max(0, Math.floor(votedFor / voteLowValues));
  const kinds = recordKind.hardState | (high << 8);
  writeHead(view, position, { kinds, payloadBytes: 0, group });
  writeSafeInteger(view, position + 16, state.term);
  view.setInt32(position + 24, votedFor % voteLowValues, true);
}

/** Bytes that a floor takes in a frame. */
export function floorRecordBytes({ state }: JournalFloor): number {
  return recordBytes.floor + (state?.byteLength ?? 0);
}

export function writeFloor(
  { bytes, view }: RecordMemory,
  position: number,
  group: number,
  floor: JournalFloor,
): void {
  const payloadBytes = floor.state?.byteLength ?? 0;
  writeHead(view, position, { kinds: recordKind.floor, payloadBytes, group });
  writeSafeInteger(view, position + 16, floor.index);
  writeSafeInteger(view, position + 24, floor.term);
  if (floor.state) bytes.set(floor.state, position + recordBytes.floor);
}

export function writeForget({ view }: RecordMemory, position: number, group: number): void {
  writeHead(view, position, { kinds: recordKind.forget, payloadBytes: 0, group });
}

/**
 * Walks the records of a verified body. One object for all records: its fields are those of the record at hand,
 * and those that its kind does not have are stale.
 */
export class RecordCursor {
  kind: keyof typeof recordKind = "forget";
  group = 0;
  index = 0;
  term = 0;
  votedFor = -1;
  entryKind: JournalEntryKind = "noop";
  baseOffset = 0;
  offsetCount = 0;
  /** Where the payload lies in the memory that the cursor walks. */
  payloadPosition = 0;
  payloadBytes = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #position: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    assert(end <= bytes.byteLength);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = start;
    this.#end = end;
  }

  /** A floor's floor: its own copy. */
  get floor(): JournalFloor {
    const { index, term, payloadPosition, payloadBytes } = this;
    if (payloadBytes === 0) return { index, term };
    return { index, term, state: this.#bytes.slice(payloadPosition, payloadPosition + payloadBytes) };
  }

  /** Moves to the next record; false at the end. Throws on a body that no journal writes: its CRC held, so it is a bug. */
  next(): boolean {
    const at = this.#position;
    if (at === this.#end) return false;
    assert(at + recordBytes.forget <= this.#end);
    this.group = readSafeInteger(this.#view, at + 8);
    switch (this.#view.getUint8(at)) {
      case recordKind.entry:
        this.#readEntry(at);
        break;
      case recordKind.hardState:
        this.kind = "hardState";
        this.term = readSafeInteger(this.#view, at + 16);
        this.votedFor = this.#view.getInt32(at + 24, true);
        if (this.votedFor >= 0) this.votedFor += (this.#view.getUint32(at, true) >>> 8) * voteLowValues;
        break;
      case recordKind.floor:
        this.kind = "floor";
        this.payloadBytes = this.#view.getUint32(at + 4, true);
        this.payloadPosition = at + recordBytes.floor;
        this.index = readSafeInteger(this.#view, at + 16);
        this.term = readSafeInteger(this.#view, at + 24);
        break;
      case recordKind.forget:
        this.kind = "forget";
        break;
      default:
        assert.fail("unknown record in a verified frame");
    }
    const hasPayload = this.kind === "entry" || this.kind === "floor";
    this.#position = at + recordBytes[this.kind] + (hasPayload ? this.payloadBytes : 0);
    assert(this.#position <= this.#end);
    return true;
  }

  #readEntry(at: number): void {
    const entryKind = entryKinds[this.#view.getUint8(at + 1) - 1];
    assert(entryKind);
    this.kind = "entry";
    this.entryKind = entryKind;
    this.payloadBytes = this.#view.getUint32(at + 4, true);
    this.index = readSafeInteger(this.#view, at + 16);
    this.term = readSafeInteger(this.#view, at + 24);
    this.baseOffset = readSafeInteger(this.#view, at + 32);
    this.offsetCount = this.#view.getUint32(at + 40, true);
    this.payloadPosition = at + recordBytes.entry;
  }
}

/** Writes a non-negative safe integer as u64. */
export function writeSafeInteger(view: DataView, position: number, value: number): void {
  const low = value >>> 0;
  let high = 0;
  // Nearly every value fits 32 bits; what does not pays for the check and the division.
  if (low !== value) {
    assert(Number.isSafeInteger(value) && value >= 0);
    high = Math.floor(value / 2 ** 32);
  }
  view.setUint32(position, low, true);
  view.setUint32(position + 4, high, true);
}

/** Reads a u64; one past 2^53 − 1 fails loudly. */
export function readSafeInteger(view: DataView, position: number): number {
  const low = view.getUint32(position, true);
  const high = view.getUint32(position + 4, true);
  if (high === 0) return low;
  const value = low + high * 2 ** 32;
  assert(Number.isSafeInteger(value));
  return value;
}

function writeHead(
  view: DataView,
  position: number,
  { kinds, payloadBytes, group }: { kinds: number; payloadBytes: number; group: number },
): void {
  view.setUint32(position, kinds, true);
  view.setUint32(position + 4, payloadBytes, true);
  writeSafeInteger(view, position + 8, group);
}
