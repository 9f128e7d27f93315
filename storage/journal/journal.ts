import assert from "node:assert/strict";
import { alignDown, alignUp } from "../io/alignment.ts";
import type { BufferArena } from "../io/buffer-arena.ts";
import { blockBytes, DiskError, type FileSystem } from "../io/file.ts";
import type {
  Checksum,
  JournalEntry,
  JournalFloor,
  JournalHardState,
  PayloadLocation,
  RecoveredGroup,
} from "./entry.ts";
import { FileRing } from "./file-ring.ts";
import { frameHeaderBytes } from "./frame.ts";
import { type DurableListener, FrameWriter } from "./frame-writer.ts";
import { JournalIndex } from "./journal-index.ts";
import { entryRecordBytes } from "./record.ts";
import { type RecoveryReport, replay } from "./replay.ts";
import { framedBytesMax, sureRoomBytes } from "./room.ts";
import { Staging } from "./staging.ts";

const mebibyte = 1024 * 1024;

/** Larger entries that are not data wait for room as data does. */
const smallPayloadBytesMax = 4096;

export interface JournalOptions {
  files: FileSystem;
  /** Made when missing. */
  directory: string;
  /** Aligned memory: room for `stagedBytesMax` twice, the largest entry once more, and 9 MiB to replay and fill. */
  arena: BufferArena;
  /** CRC-32C. */
  checksum: Checksum;
  /** Numbers from 0 to below 1, to name a new journal unguessably. */
  random: () => number;
  /** Size of one file, 64 MiB unless told; rounded up to whole 64 KiB. */
  fileBytes?: number;
  /** Most files at once, 16 unless told; at least 4. */
  filesMax?: number;
  /** Usual most of a single write, 4 MiB unless told and never above a quarter of a file. */
  frameBytesMax?: number;
  /** Staged bytes above which the caller should wait; 32 MiB unless told. */
  stagedBytesMax?: number;
  /** Starts in spite of damage in the middle and reports what it cost, in place of JournalCorruptError. */
  acceptCorruption?: boolean;
}

/** An open journal and what it held. */
export interface OpenedJournal {
  readonly journal: Journal;
  readonly groups: ReadonlyMap<number, RecoveredGroup>;
  readonly report: RecoveryReport;
}

/**
 * The one durable log of a node: entries, terms, votes and floors of all its groups.
 *
 * Calls stage records; `flush` makes everything staged durable, in staging order, with one sequential write
 * for as much as one frame holds. While a flush is under way further records stage for the next one. A failed
 * flush poisons the journal: nothing is known of the disk any more, and every later call throws its error.
 */
export class Journal implements AsyncDisposable {
  /** Largest entry payload that a file takes. */
  readonly payloadBytesMax: number;
  /** Above this many staged bytes the caller should wait for a flush. */
  readonly stagedBytesMax: number;
  readonly #options: JournalOptions;
  readonly #frameBytesMax: number;
  readonly #index: JournalIndex;
  readonly #ring: FileRing;
  readonly #staging: Staging;
  readonly #writer: FrameWriter;
  readonly #fileBytes: number;
  readonly #filesMax: number;
  /** Group → last index staged or stored, so that a hole in a log is caught before it is on disk. */
  readonly #lastIndexes = new Map<number, number>();
  #flushingBytes = 0;
  #flushingFrameBytesMax = 0;
  #isFlushing = false;
  #failure: Error | undefined;

  private constructor(options: JournalOptions) {
    const fileBytes = Math.ceil((options.fileBytes ?? 64 * mebibyte) / 65_536) * 65_536;
    this.#filesMax = options.filesMax ?? 16;
    assert(this.#filesMax >= 4);
    this.#options = options;
    this.#fileBytes = fileBytes;
    this.#frameBytesMax = Math.min(options.frameBytesMax ?? 4 * mebibyte, fileBytes / 4);
    this.payloadBytesMax = fileBytes / 2 - blockBytes;
    this.stagedBytesMax = options.stagedBytesMax ?? 32 * mebibyte;
    this.#index = new JournalIndex();
    this.#staging = new Staging({
      arena: options.arena,
      checksum: options.checksum,
      frameBytes: this.#frameBytesMax,
    });
    this.#ring = new FileRing({
      files: options.files,
      directory: options.directory,
      arena: options.arena,
      fileBytes,
      filesMax: this.#filesMax,
      isAlive: (file) => this.#index.isAlive(file),
      onFailure: (error) => this.#poison(error),
    });
    this.#writer = new FrameWriter({ ring: this.#ring, staging: this.#staging, index: this.#index });
  }

  /** Reads the journal back and readies it; throws JournalCorruptError, DiskError. */
  static async open(options: JournalOptions): Promise<OpenedJournal> {
    const journal = new Journal(options);
    try {
      return await journal.#recover();
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  /** Bytes staged and not yet durable. */
  get stagedBytes(): number {
    return this.#staging.sizeBytes + this.#flushingBytes;
  }

  /** Bytes on disk from the oldest file still needed to the last frame. */
  get usedBytes(): number {
    return this.#writer.usedBytes;
  }

  /** Frames made durable since the opening, and their bytes on disk. */
  get written(): { readonly frames: number; readonly sizeBytes: number } {
    return this.#writer.written;
  }

  /**
   * Room grows short: three quarters of the files are in use, or the disk has no space for another. The
   * owner should have `oldestGroups` write their segments and hold new data back; small records still go in.
   */
  get isUnderPressure(): boolean {
    if (this.#ring.live.length >= Math.ceil((this.#filesMax * 3) / 4)) return true;
    return this.#ring.nextFileCount <= 1;
  }

  /** Half way to that: what is done about it now holds nobody up. */
  get isFilling(): boolean {
    return this.isUnderPressure || this.#ring.live.length >= Math.ceil((this.#filesMax * 3) / 8);
  }

  /** Groups whose entries hold back the oldest file. */
  oldestGroups(): number[] {
    const oldest = this.#ring.live[0];
    return oldest ? this.#index.groupsIn(oldest) : [];
  }

  /** To be called now and then under pressure: the disk may have got space again. */
  async relieve(): Promise<void> {
    this.#assertUsable();
    await this.#ring.retry();
  }

  /**
   * Stages entries; one whose index is already there replaces it and all behind it. Payloads are copied at once.
   * Throws DiskError "full", with nothing staged, when the journal cannot grow and the rest is kept for what makes
   * room: half a file that data never takes, the first half of it for small entries of other kinds, and all of it
   * for votes, floors and entries without payload.
   */
  append(group: number, entries: readonly JournalEntry[]): void {
    this.#assertUsable();
    let sizeBytes = 0;
    let largestBytes = 0;
    let payloadBytes = 0;
    let isSmall = true;
    let lastIndex = this.#lastIndexes.get(group) ?? 0;
    let isFirst = true;
    for (const entry of entries) {
      const { index } = entry;
      assert(isFirst ? index >= 1 && index <= lastIndex + 1 : index === lastIndex + 1);
      isFirst = false;
      lastIndex = index;
      assert(entry.payload.byteLength <= this.payloadBytesMax);
      payloadBytes += entry.payload.byteLength;
      isSmall &&= entry.kind !== "data" && entry.payload.byteLength <= smallPayloadBytesMax;
      const entryBytes = entryRecordBytes(entry);
      sizeBytes += entryBytes;
      largestBytes = Math.max(largestBytes, entryBytes);
    }
    // A new leader's first entry commits what is there, which is what makes room: the reserve is for it as well.
    // So it is for who deletes records or a topic, whose command is small; records can be as small, and are kept out.
    if (payloadBytes > 0)
      this.#assertRoom({ sizeBytes, largestBytes, keptBytes: this.#fileBytes / (isSmall ? 4 : 2) });
    for (const entry of entries) this.#staging.addEntry(group, entry);
    this.#lastIndexes.set(group, lastIndex);
  }

  /** Tells of each entry once it is durable, in order. */
  onDurable(listener: DurableListener): void {
    this.#writer.onDurable(listener);
  }

  /** Stages a group's term and vote. */
  setHardState(group: number, state: JournalHardState): void {
    this.#assertUsable();
    this.#staging.addHardState(group, state);
  }

  /** Stages that entries up to and with `floor.index` live elsewhere; files without other entries come free. */
  advanceFloor(group: number, floor: JournalFloor): void {
    this.#assertUsable();
    this.#staging.addFloor(group, floor);
    this.#lastIndexes.set(group, Math.max(floor.index, this.#lastIndexes.get(group) ?? 0));
  }

  /** Stages that a deleted group is to be dropped. */
  forget(group: number): void {
    this.#assertUsable();
    this.#staging.addForget(group);
    this.#lastIndexes.delete(group);
  }

  /** Makes everything staged so far durable. Not to be called again before the last call settled. */
  async flush(): Promise<void> {
    this.#assertUsable();
    assert(!this.#isFlushing);
    const frames = this.#staging.take();
    if (frames.length === 0) return;
    this.#isFlushing = true;
    this.#flushingFrameBytesMax = Math.max(...frames.map(({ sizeBytes }) => sizeBytes));
    for (const frame of frames) this.#flushingBytes += frame.sizeBytes;
    try {
      for (const frame of frames) {
        await this.#writer.write(frame);
        this.#flushingBytes -= frame.sizeBytes;
        this.#staging.release(frame);
      }
    } catch (error) {
      this.#poison(error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      this.#isFlushing = false;
      this.#flushingFrameBytesMax = 0;
    }
    this.#assertUsable();
    this.#tend();
  }

  /** Reads one payload; throws DiskError "io" when its bytes have changed since its checksum was taken. */
  async readPayload(location: PayloadLocation): Promise<Uint8Array> {
    this.#assertUsable();
    const { arena, checksum } = this.#options;
    const journalFile = this.#ring.find(location.fileSequence);
    if (!journalFile) {
      throw new DiskError(
        "missing",
        `Cannot read entry in journal file ${location.fileSequence}: it is gone`,
      );
    }
    if (location.sizeBytes === 0) return new Uint8Array(0);
    const start = alignDown(location.position);
    const buffer = arena.allocate(alignUp(location.position + location.sizeBytes) - start);
    try {
      await journalFile.file.read(start, buffer);
      const payload = buffer.slice(location.position - start, location.position - start + location.sizeBytes);
      if (location.checksum < 0 || checksum(payload) >>> 0 === location.checksum) return payload;
    } finally {
      arena.release(buffer);
    }
    const { path } = journalFile.file;
    throw new DiskError(
      "io",
      `Cannot read "${path}" at position ${location.position}: its checksum is wrong`,
    );
  }

  /** Waits for background work and closes all files; what is staged and not flushed is lost. */
  async close(): Promise<void> {
    assert(!this.#isFlushing);
    this.#failure ??= new Error("Cannot use the journal: it is closed");
    await this.#ring.close();
    this.#staging.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #recover(): Promise<OpenedJournal> {
    const { files, directory, arena, checksum, acceptCorruption = false } = this.#options;
    await files.makeDirectory(directory);
    const found = await this.#ring.openExisting();
    const { groups, report, tail } = await replay({
      files: found,
      index: this.#index,
      arena,
      checksum,
      acceptCorruption,
    });
    await this.#ring.adopt(tail?.file);
    if (tail) {
      for (const [group, { lastIndex }] of this.#index.groups) this.#lastIndexes.set(group, lastIndex);
      await this.#writer.resume(tail);
    } else {
      this.#writer.begin(Math.floor(this.#options.random() * Number.MAX_SAFE_INTEGER));
    }
    // The first file at once, so that a directory that cannot hold it fails here.
    if (!this.#ring.hasSpare && !tail) {
      await this.#ring.tend();
      if (this.#failure) throw this.#failure;
      if (!this.#ring.hasSpare) {
        throw new DiskError("full", `Cannot begin the journal in "${directory}": no space left on the disk`);
      }
    } else {
      this.#tend();
    }
    return { journal: this, groups, report };
  }

  /** Refuses what would leave less than `keptBytes` for records without which neither votes nor reclaiming could go on. */
  #assertRoom({
    sizeBytes,
    largestBytes,
    keptBytes,
  }: {
    sizeBytes: number;
    largestBytes: number;
    keptBytes: number;
  }): void {
    const wantedBytes = this.stagedBytes + framedBytesMax(sizeBytes, this.#frameBytesMax);
    // The usual case, settled without looking closely.
    if (wantedBytes < this.#writer.remainingBytes - keptBytes) return;
    const roomBytes = sureRoomBytes({
      currentBytes: this.#writer.remainingBytes,
      nextFileCount: this.#ring.nextFileCount,
      fileBytes: this.#fileBytes,
      stateBytes: alignUp(frameHeaderBytes + this.#index.stateRecordBytes),
      frameBytesMax: Math.max(
        this.#staging.frameBytesMax,
        this.#flushingFrameBytesMax,
        alignUp(frameHeaderBytes + largestBytes),
      ),
    });
    if (wantedBytes <= roomBytes - keptBytes) return;
    throw new DiskError("full", `Cannot append to the journal in "${this.#options.directory}": it is full`);
  }

  #tend(): void {
    // Failures arrive through `onFailure`.
    void this.#ring.tend();
  }

  #poison(error: Error): void {
    this.#failure ??= error;
  }

  #assertUsable(): void {
    if (this.#failure) throw this.#failure;
  }
}
