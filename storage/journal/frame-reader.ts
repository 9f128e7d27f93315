import { alignUp } from "../io/alignment.ts";
import type { BufferArena } from "../io/buffer-arena.ts";
import { blockBytes } from "../io/file.ts";
import type { Checksum } from "./entry.ts";
import { type FrameHeader, frameHeaderBytes, isFrameIntact, readFrameHeader } from "./frame.ts";
import type { JournalFile } from "./journal-file.ts";

/** An intact frame; its memory is the reader's and good until the next read. */
export interface FoundFrame {
  readonly header: FrameHeader;
  readonly position: number;
  /** Whole blocks on disk. */
  readonly sizeBytes: number;
  readonly bytes: Uint8Array;
}

/** Reads frames of journal files through one bounded window, as replay walks them forwards. */
export class FrameReader {
  /** Once it is known, frames of any other journal are none. */
  journalId: number | undefined;
  readonly #arena: BufferArena;
  readonly #checksum: Checksum;
  readonly #window: Uint8Array;
  /** Memory for a frame larger than the window, at most a file's size. */
  #large: Uint8Array | undefined;
  #windowFile: JournalFile | undefined;
  #windowStart = 0;
  #windowFilled = 0;

  constructor({
    arena,
    checksum,
    windowBytes,
  }: { arena: BufferArena; checksum: Checksum; windowBytes: number }) {
    this.#arena = arena;
    this.#checksum = checksum;
    this.#window = arena.allocate(windowBytes);
  }

  /** The header at `position` if it claims to be of this file and journal; its body has not been looked at. */
  async readHeader(file: JournalFile, position: number): Promise<FrameHeader | undefined> {
    const block = await this.#bytesAt(file, position, blockBytes);
    const header = block && readFrameHeader(block);
    if (header?.fileSequence !== file.sequence) return undefined;
    return header.journalId === (this.journalId ?? header.journalId) ? header : undefined;
  }

  /** The frame at `position`: undefined unless it is intact and of this file and journal. */
  async read(file: JournalFile, position: number): Promise<FoundFrame | undefined> {
    const header = await this.readHeader(file, position);
    if (!header) return undefined;
    // The length comes before its proof: nothing is allocated for what cannot fit the file.
    const sizeBytes = alignUp(frameHeaderBytes + header.bodyBytes);
    if (position + sizeBytes > file.sizeBytes) return undefined;
    const bytes = await this.#bytesAt(file, position, sizeBytes);
    if (!bytes || !isFrameIntact(bytes, header, this.#checksum)) return undefined;
    return { header, position, sizeBytes, bytes };
  }

  close(): void {
    this.#arena.release(this.#window);
    this.#releaseLarge();
  }

  /** Undefined where the file ends before. */
  async #bytesAt(file: JournalFile, position: number, sizeBytes: number): Promise<Uint8Array | undefined> {
    this.#releaseLarge();
    if (position + sizeBytes > file.sizeBytes) return undefined;
    if (sizeBytes > this.#window.byteLength) return await this.#readLarge(file, position, sizeBytes);
    const isInWindow =
      this.#windowFile === file &&
      position >= this.#windowStart &&
      position + sizeBytes <= this.#windowStart + this.#windowFilled;
    if (!isInWindow) await this.#fillWindow(file, position);
    const start = position - this.#windowStart;
    return start + sizeBytes <= this.#windowFilled
      ? this.#window.subarray(start, start + sizeBytes)
      : undefined;
  }

  async #fillWindow(file: JournalFile, position: number): Promise<void> {
    this.#windowFile = undefined;
    const wantedBytes = Math.min(this.#window.byteLength, alignUp(file.sizeBytes - position));
    this.#windowFilled = await file.file.read(position, this.#window.subarray(0, wantedBytes));
    this.#windowStart = position;
    this.#windowFile = file;
  }

  async #readLarge(file: JournalFile, position: number, sizeBytes: number): Promise<Uint8Array | undefined> {
    const large = this.#arena.allocate(sizeBytes);
    this.#large = large;
    return (await file.file.read(position, large)) === sizeBytes ? large : undefined;
  }

  #releaseLarge(): void {
    if (this.#large) this.#arena.release(this.#large);
    this.#large = undefined;
  }
}
