import assert from "node:assert/strict";
import { alignUp } from "../io/alignment.ts";
import type { BufferArena } from "../io/buffer-arena.ts";
import type { Checksum, JournalEntry, JournalFloor, JournalHardState } from "./entry.ts";
import { type FrameHeader, frameHeaderBytes, sealFrame } from "./frame.ts";
import {
  entryRecordBytes,
  floorRecordBytes,
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

/** The checksum follows the records in steps of at least this size: a call for each small one would cost more. */
const checksumStepBytes = 64 * 1024;

/** A frame in the making, in the aligned memory from which it is written. */
export class StagedFrame {
  readonly memory: RecordMemory;
  #endPosition = frameHeaderBytes;
  #recordCount = 0;
  readonly #checksum: Checksum;
  /** Of the body up to `#checkedPosition`. */
  #bodyChecksum = 0;
  #checkedPosition = frameHeaderBytes;

  constructor(bytes: Uint8Array, checksum: Checksum) {
    this.#checksum = checksum;
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

  /** Brings the checksum up to the last record if enough has gathered: work that then need not wait for the flush. */
  advanceChecksum(): void {
    if (this.#endPosition - this.#checkedPosition >= checksumStepBytes) this.#completeChecksum();
  }

  /** Completes the frame and answers the blocks to write. */
  seal(identity: Omit<FrameHeader, "bodyBytes" | "recordCount">): Uint8Array {
    const { bytes, view } = this.memory;
    const bodyBytes = this.#endPosition - frameHeaderBytes;
    this.#completeChecksum();
    bytes.fill(0, this.#endPosition, this.sizeBytes);
    sealFrame(bytes, view, {
      header: { ...identity, bodyBytes, recordCount: this.#recordCount },
      bodyChecksum: this.#bodyChecksum,
      checksum: this.#checksum,
    });
    return bytes.subarray(0, this.sizeBytes);
  }

  records(): RecordCursor {
    return new RecordCursor(this.memory.bytes, frameHeaderBytes, this.#endPosition);
  }

  clear(): void {
    this.#endPosition = frameHeaderBytes;
    this.#recordCount = 0;
    this.#bodyChecksum = 0;
    this.#checkedPosition = frameHeaderBytes;
  }

  #completeChecksum(): void {
    const added = this.memory.bytes.subarray(this.#checkedPosition, this.#endPosition);
    this.#bodyChecksum = this.#checksum(added, this.#bodyChecksum);
    this.#checkedPosition = this.#endPosition;
  }
}

/** Gathers records into frames, copying each payload once, to where it is written from. */
export class Staging {
  readonly #arena: BufferArena;
  readonly #checksum: Checksum;
  readonly #frameBytes: number;
  readonly #spares: StagedFrame[] = [];
  #frames: StagedFrame[] = [];
  /** The last of the frames, which still takes records; sums of the others beside it. */
  #open: StagedFrame | undefined;
  #closedBytes = 0;
  #closedBytesMax = 0;

  constructor({
    arena,
    checksum,
    frameBytes,
  }: {
    arena: BufferArena;
    checksum: Checksum;
    frameBytes: number;
  }) {
    this.#arena = arena;
    this.#checksum = checksum;
    this.#frameBytes = alignUp(frameBytes);
  }

  /** Bytes on disk of what waits for the next `take`. */
  get sizeBytes(): number {
    return this.#closedBytes + (this.#open?.sizeBytes ?? 0);
  }

  /** The largest frame that waits or may come to wait. */
  get frameBytesMax(): number {
    return Math.max(this.#closedBytesMax, this.#open?.sizeBytes ?? 0, this.#frameBytes);
  }

  addEntry(group: number, entry: JournalEntry): void {
    const sizeBytes = entryRecordBytes(entry);
    const frame = this.#frameWith(sizeBytes);
    writeEntry(frame.memory, frame.extend(sizeBytes), group, entry);
    frame.advanceChecksum();
  }

  addHardState(group: number, state: JournalHardState): void {
    const frame = this.#frameWith(recordBytes.hardState);
    writeHardState(frame.memory, frame.extend(recordBytes.hardState), group, state);
  }

  addFloor(group: number, floor: JournalFloor): void {
    const sizeBytes = floorRecordBytes(floor);
    const frame = this.#frameWith(sizeBytes);
    writeFloor(frame.memory, frame.extend(sizeBytes), group, floor);
  }

  addForget(group: number): void {
    const frame = this.#frameWith(recordBytes.forget);
    writeForget(frame.memory, frame.extend(recordBytes.forget), group);
  }

  /** Hands over the frames gathered so far, in order; each comes back by `release`. */
  take(): StagedFrame[] {
    const frames = this.#frames;
    this.#frames = [];
    this.#open = undefined;
    this.#closedBytes = 0;
    this.#closedBytesMax = 0;
    return frames;
  }

  /** An empty frame outside the queue with room for `bodyBytes`. */
  makeFrame(bodyBytes: number): StagedFrame {
    const wanted = Math.max(this.#frameBytes, frameHeaderBytes + bodyBytes);
    const spare = wanted === this.#frameBytes ? this.#spares.pop() : undefined;
    return spare ?? new StagedFrame(this.#arena.allocate(wanted), this.#checksum);
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
    if (this.#open?.hasRoomFor(sizeBytes)) return this.#open;
    const frame = this.makeFrame(sizeBytes);
    if (this.#open) {
      this.#closedBytes += this.#open.sizeBytes;
      this.#closedBytesMax = Math.max(this.#closedBytesMax, this.#open.sizeBytes);
    }
    this.#open = frame;
    this.#frames.push(frame);
    return frame;
  }
}
