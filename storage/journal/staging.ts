import assert from "node:assert/strict";
import { alignUp } from "../io/alignment.ts";
import type { BufferArena } from "../io/buffer-arena.ts";
import type { Checksum, JournalEntry, JournalFloor, JournalHardState } from "./entry.ts";
import { type FrameHeader, frameHeaderBytes, sealFrame } from "./frame.ts";
import {
  entryRecordBytes,
  RecordCursor,
  type RecordMemory,
  recordBytes,
  writeEntry,
  writeFloor,
  writeForget,
  writeHardState,
} from "./record.ts";

/** Frames kept for the next passes: one is in flight while the next fills. */
const spareFramesMax = 2;

/** A frame in the making, in the aligned memory from which it is written. */
export class StagedFrame {
  readonly memory: RecordMemory;
  #endPosition = frameHeaderBytes;
  #recordCount = 0;

  constructor(bytes: Uint8Array) {
    this.memory = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Whole blocks that the frame takes on disk. */
  get sizeBytes(): number {
    return alignUp(this.#endPosition);
  }

  hasRoomFor(sizeBytes: number): boolean {
    return this.#endPosition + sizeBytes <= this.memory.bytes.byteLength;
  }

  /** Room for one more record; answers where it goes. */
  extend(sizeBytes: number): number {
    const position = this.#endPosition;
    assert(this.hasRoomFor(sizeBytes));
    this.#endPosition += sizeBytes;
    this.#recordCount++;
    return position;
  }

  /** Completes the frame and answers the blocks to write. */
  seal(identity: Omit<FrameHeader, "bodyBytes" | "recordCount">, checksum: Checksum): Uint8Array {
    const { bytes, view } = this.memory;
    const bodyBytes = this.#endPosition - frameHeaderBytes;
    bytes.fill(0, this.#endPosition, this.sizeBytes);
    sealFrame(bytes, view, { ...identity, bodyBytes, recordCount: this.#recordCount }, checksum);
    return bytes.subarray(0, this.sizeBytes);
  }

  records(): RecordCursor {
    return new RecordCursor(this.memory.bytes, frameHeaderBytes, this.#endPosition);
  }

  clear(): void {
    this.#endPosition = frameHeaderBytes;
    this.#recordCount = 0;
  }
}

/** Gathers records into frames, copying each payload once, to where it is written from. */
export class Staging {
  readonly #arena: BufferArena;
  readonly #frameBytes: number;
  readonly #spares: StagedFrame[] = [];
  #frames: StagedFrame[] = [];

  constructor({ arena, frameBytes }: { arena: BufferArena; frameBytes: number }) {
    this.#arena = arena;
    this.#frameBytes = alignUp(frameBytes);
  }

  /** Bytes on disk of what waits for the next `take`. */
  get sizeBytes(): number {
    let sum = 0;
    for (const frame of this.#frames) sum += frame.sizeBytes;
    return sum;
  }

  /** The largest frame that waits or may come to wait. */
  get frameBytesMax(): number {
    return this.#frames.reduce((most, frame) => Math.max(most, frame.sizeBytes), this.#frameBytes);
  }

  addEntry(group: number, entry: JournalEntry): void {
    const sizeBytes = entryRecordBytes(entry);
    const frame = this.#frameWith(sizeBytes);
    writeEntry(frame.memory, frame.extend(sizeBytes), group, entry);
  }

  addHardState(group: number, state: JournalHardState): void {
    const frame = this.#frameWith(recordBytes.hardState);
    writeHardState(frame.memory, frame.extend(recordBytes.hardState), group, state);
  }

  addFloor(group: number, floor: JournalFloor): void {
    const frame = this.#frameWith(recordBytes.floor);
    writeFloor(frame.memory, frame.extend(recordBytes.floor), group, floor);
  }

  addForget(group: number): void {
    const frame = this.#frameWith(recordBytes.forget);
    writeForget(frame.memory, frame.extend(recordBytes.forget), group);
  }

  /** Hands over the frames gathered so far, in order; each comes back by `release`. */
  take(): StagedFrame[] {
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  /** An empty frame outside the queue with room for `bodyBytes`. */
  makeFrame(bodyBytes: number): StagedFrame {
    const wanted = Math.max(this.#frameBytes, frameHeaderBytes + bodyBytes);
    const spare = wanted === this.#frameBytes ? this.#spares.pop() : undefined;
    return spare ?? new StagedFrame(this.#arena.allocate(wanted));
  }

  release(frame: StagedFrame): void {
    const isUsual = frame.memory.bytes.byteLength === this.#frameBytes;
    if (isUsual && this.#spares.length < spareFramesMax) {
      frame.clear();
      this.#spares.push(frame);
    } else {
      this.#arena.release(frame.memory.bytes);
    }
  }

  /** Gives all memory back; what was staged is lost. */
  close(): void {
    for (const frame of this.#frames.splice(0)) this.#arena.release(frame.memory.bytes);
    for (const frame of this.#spares.splice(0)) this.#arena.release(frame.memory.bytes);
  }

  #frameWith(sizeBytes: number): StagedFrame {
    const last = this.#frames.at(-1);
    if (last?.hasRoomFor(sizeBytes)) return last;
    const frame = this.makeFrame(sizeBytes);
    this.#frames.push(frame);
    return frame;
  }
}
