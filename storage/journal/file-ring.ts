import assert from "node:assert/strict";
import { join } from "node:path";
import type { BufferArena } from "../io/buffer-arena.ts";
import { DiskError, type FileSystem } from "../io/file.ts";
import { type JournalFile, journalPath, sequenceOf, unfinishedSuffix } from "./journal-file.ts";

/** Bytes written at once when a new file is filled with zeros. */
const fillBytes = 1024 * 1024;

/** Files kept ready for use; further ones that come free are removed. */
const sparesMax = 2;

export interface FileRingOptions {
  readonly files: FileSystem;
  readonly directory: string;
  readonly arena: BufferArena;
  /** Size of a new file. */
  readonly fileBytes: number;
  /** Most files at once, spare ones included. */
  readonly filesMax: number;
  /** Whether entries in the file are still needed. */
  readonly isAlive: (file: JournalFile) => boolean;
  /** Told when a change of the directory failed in a way that leaves its state unknown. */
  readonly onFailure: (error: Error) => void;
}

/**
 * The journal's files: those in use from the oldest to the one being written, then the spare ones.
 *
 * Sequences are dense over both. A spare file is complete on disk before it is needed, so that votes and the
 * journal's end have room on a full disk, and writing it never allocates blocks. Files leave only from the old
 * end, one directory sync each, so that a crash leaves a dense row whatever it keeps.
 */
export class FileRing {
  readonly #options: FileRingOptions;
  readonly #live: JournalFile[] = [];
  readonly #spares: JournalFile[] = [];
  /** Handed out, without a durable state frame yet. */
  #begun: JournalFile | undefined;
  #nextSequence = 1;
  #tending: Promise<void> | undefined;
  /** Files for which the disk had room when it was last asked. */
  #makeable = Number.MAX_SAFE_INTEGER;
  #isClosed = false;
  #failure: Error | undefined;

  constructor(options: FileRingOptions) {
    this.#options = options;
  }

  /** Files in use, the oldest first. */
  get live(): readonly JournalFile[] {
    return this.#live;
  }

  get hasSpare(): boolean {
    return this.#spares.length > 0;
  }

  /** Files, all of the configured size, that can be begun: the spare ones, and those that may still be made. */
  get nextFileCount(): number {
    return this.#spares.length + Math.min(this.#makeable, Math.max(0, this.#options.filesMax - this.#count));
  }

  /** Opens what an earlier run left; all files count as in use until `adopt`. */
  async openExisting(): Promise<readonly JournalFile[]> {
    const { files, directory } = this.#options;
    for (const name of await files.list(directory)) {
      if (name.endsWith(unfinishedSuffix)) await files.remove(join(directory, name));
      const sequence = sequenceOf(name);
      if (sequence !== undefined) this.#live.push(await this.#openFile(sequence));
    }
    this.#nextSequence = (this.#live.at(-1)?.sequence ?? 0) + 1;
    return this.#live;
  }

  /** Sets the file that holds the last frame; files behind it become spares, all of them when there is none. */
  async adopt(current: JournalFile | undefined): Promise<void> {
    const used = current ? this.#live.indexOf(current) + 1 : 0;
    this.#spares.push(...this.#live.splice(used));
    // Spares of another size, from before a change of configuration, might not hold what is to be written.
    const firstOdd = this.#spares.findIndex(({ sizeBytes }) => sizeBytes !== this.#options.fileBytes);
    for (const odd of firstOdd < 0 ? [] : this.#spares.splice(firstOdd).reverse()) {
      await this.#remove(odd);
      this.#nextSequence = odd.sequence;
    }
    await this.#askDisk();
  }

  find(sequence: number): JournalFile | undefined {
    return this.#live.find((file) => file.sequence === sequence);
  }

  /** Hands out the next spare file; throws DiskError "full" when there is none and none can be made. */
  async takeNext(): Promise<JournalFile> {
    assert(!this.#begun);
    while (this.#spares.length === 0) {
      const tending = this.tend();
      if (!tending) throw this.#failure ?? this.#fullError();
      await tending;
    }
    this.#begun = this.#spares.shift();
    assert(this.#begun);
    return this.#begun;
  }

  /**
   * Puts the file handed out into use, now that its state frame is durable: only from here on may older files,
   * which said the same, come free.
   */
  use(file: JournalFile): void {
    assert(this.#begun === file);
    this.#begun = undefined;
    this.#live.push(file);
  }

  /**
   * Frees what is no longer needed and keeps a spare ready, in the background; undefined when nothing is to be done.
   * Never rejects: failures go to `onFailure`.
   */
  tend(): Promise<void> | undefined {
    if (!this.#tending) {
      const task = this.#nextTask();
      if (task) this.#tending = this.#run(task);
    }
    return this.#tending;
  }

  /** Asks the disk again for room, and makes a file if one is wanted. */
  async retry(): Promise<void> {
    await this.#askDisk();
    await this.tend();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#tending;
    for (const { file } of [...this.#live, ...(this.#begun ? [this.#begun] : []), ...this.#spares]) {
      await file.close();
    }
  }

  get #count(): number {
    return this.#live.length + (this.#begun ? 1 : 0) + this.#spares.length;
  }

  async #run(first: () => Promise<void>): Promise<void> {
    try {
      // The next task is chosen in the same stretch in which the last one ended: no call of `tend` falls between.
      for (let task: typeof first | undefined = first; task; task = this.#nextTask()) await task();
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#options.onFailure(this.#failure);
    } finally {
      this.#tending = undefined;
    }
  }

  #nextTask(): (() => Promise<void>) | undefined {
    if (this.#isClosed || this.#failure) return undefined;
    const oldest = this.#live[0];
    if (oldest && this.#live.length > 1 && !this.#options.isAlive(oldest)) {
      return () => this.#free(oldest);
    }
    const isSpareWanted = this.#spares.length === 0 && this.#count < this.#options.filesMax;
    return isSpareWanted && this.#makeable > 0 ? () => this.#make() : undefined;
  }

  async #free(freed: JournalFile): Promise<void> {
    const { files, directory, fileBytes } = this.#options;
    this.#live.shift();
    if (this.#spares.length >= sparesMax || freed.sizeBytes !== fileBytes) return await this.#remove(freed);
    await freed.file.close();
    await files.rename(freed.file.path, journalPath(directory, this.#nextSequence));
    // Not before the new name is durable may the blocks be written again, nor the next older file go.
    await files.syncDirectory(directory);
    this.#spares.push(await this.#openFile(this.#nextSequence++));
  }

  async #remove({ file }: JournalFile): Promise<void> {
    const { files, directory } = this.#options;
    await file.close();
    await files.remove(file.path);
    await files.syncDirectory(directory);
    await this.#askDisk();
  }

  /** Makes a spare file of zeros, or notes that the disk is full and leaves nothing behind. */
  async #make(): Promise<void> {
    const { files, directory } = this.#options;
    const path = journalPath(directory, this.#nextSequence);
    const unfinished = path + unfinishedSuffix;
    await this.#askDisk();
    if (this.#makeable === 0) return;
    try {
      await this.#fill(unfinished);
    } catch (error) {
      if (!(error instanceof DiskError) || error.code !== "full") throw error;
      await files.remove(unfinished);
      this.#makeable = 0;
      return;
    }
    this.#makeable--;
    await files.rename(unfinished, path);
    await files.syncDirectory(directory);
    this.#spares.push(await this.#openFile(this.#nextSequence++));
  }

  async #askDisk(): Promise<void> {
    const { files, directory, fileBytes } = this.#options;
    this.#makeable = Math.floor((await files.freeBytes(directory)) / fileBytes);
  }

  /** Real zeros and not a sparse file: blocks that are promised only now could be missing later. */
  async #fill(path: string): Promise<void> {
    const { files, arena, fileBytes } = this.#options;
    const zeros = arena.allocate(Math.min(fillBytes, fileBytes)).fill(0);
    try {
      await using file = await files.open(path, "create");
      for (let position = 0; position < fileBytes; position += zeros.byteLength) {
        await file.write(position, zeros.subarray(0, Math.min(zeros.byteLength, fileBytes - position)));
      }
    } finally {
      arena.release(zeros);
    }
  }

  async #openFile(sequence: number): Promise<JournalFile> {
    const { files, directory } = this.#options;
    const file = await files.open(journalPath(directory, sequence), "existing");
    const sizeBytes = await file.sizeBytes();
    return { sequence, file, sizeBytes, lastIndexes: new Map() };
  }

  #fullError(): DiskError {
    const { directory, filesMax } = this.#options;
    assert(this.#spares.length === 0);
    const state =
      this.#makeable === 0 ? "no space left on the disk" : `all of its ${filesMax} files are in use`;
    return new DiskError("full", `Cannot extend the journal in "${directory}": ${state}`);
  }
}
