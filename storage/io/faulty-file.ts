import assert from "node:assert/strict";
import { dirname } from "node:path";
import { assertAligned } from "./alignment.ts";
import { blockBytes, DiskError, type DiskErrorCode, type File, type FileSystem } from "./file.ts";
import { ancestry, isWithin, namesIn, pathKey } from "./memory-file.ts";
import { SparseBytes } from "./sparse-bytes.ts";

/** Smallest unit that a disk writes whole; a torn page is a mix of old and new sectors. */
const sectorBytes = 512;

/** A call that changes the disk; `number` counts from 1 over the life of one file system. */
export interface DiskChange {
  readonly number: number;
  readonly kind: "create" | "write" | "resize" | "rename" | "remove" | "makeDirectory" | "syncDirectory";
  readonly path: string;
}

/**
 * What a crash leaves of changes that were not yet durable: nothing, the first ones in order, any blocks and
 * entries, or any 512-byte sectors and entries.
 */
export type CrashMode = "drop" | "prefix" | "subset" | "torn";

/** Every crash mode, for tests that go through all. */
export const crashModes: readonly CrashMode[] = ["drop", "prefix", "subset", "torn"];

export interface FaultyFileSystemOptions {
  /** Bytes that fit on the disk, counted in written blocks, zeros included. */
  capacityBytes?: number;
  /** Called when a change starts (in flight: a crash decides what stays of it) and when it is done (applied, not yet answered). */
  onChange?: (change: DiskChange, phase: "started" | "done") => void;
  /** A code makes the change fail; a failed write leaves every other block written, for nothing may be concluded from it. */
  failChange?: (change: DiskChange) => DiskErrorCode | undefined;
  /** May flip bits in what a read answers; a code makes the read fail. */
  onRead?: (path: string, position: number, bytes: Uint8Array) => DiskErrorCode | undefined;
  /** How long a change is in flight: one microtask unless told. */
  settle?: (change: DiskChange) => Promise<void>;
}

/** The machine went down: calls of the process that ran on it never succeed again. */
export class CrashedError extends Error {
  constructor() {
    super("Cannot use the disk: its machine has crashed");
    this.name = "CrashedError";
  }
}

/**
 * A lazy disk in memory for crash and fault tests.
 *
 * Content is durable once its write or resize resolved; creations, renames and removals once their directory
 * was synced. `crash` ends this file system and answers the one that the next start finds.
 */
export class FaultyFileSystem implements FileSystem {
  readonly #options: FaultyFileSystemOptions;
  readonly #durable: Entries;
  readonly #visible: Entries;
  /** Changes that a crash may lose, in the order in which they were made. */
  #unsynced: Unsynced[] = [];
  #changes = 0;
  #crashed = false;

  constructor(options: FaultyFileSystemOptions = {}, survivors: Entries = emptyEntries()) {
    this.#options = options;
    this.#durable = survivors;
    this.#visible = { files: new Map(survivors.files), directories: new Set(survivors.directories) };
  }

  /** Changes started so far. */
  get changes(): number {
    return this.#changes;
  }

  /** Cuts the power; `random` answers numbers from 0 to below 1. */
  crash(
    { mode, random }: { mode: CrashMode; random: () => number },
    options: FaultyFileSystemOptions = {},
  ): FaultyFileSystem {
    assert(!this.#crashed);
    this.#crashed = true;
    keepSome(this.#unsynced, mode, random, this.#durable);
    return new FaultyFileSystem(options, this.#durable);
  }

  /** Flips the bits of `mask` in a byte at rest, as a failing medium does. */
  rot(path: string, position: number, mask: number): void {
    const inode = this.#inode(path, "damage");
    const block = new Uint8Array(1);
    assert(inode.content.read(position, block) === 1);
    inode.content.write(
      position,
      block.map((byte) => byte ^ mask),
    );
  }

  async open(path: string, mode: "create" | "existing"): Promise<File> {
    this.#checkPower();
    if (mode === "existing") return new FaultyFile(path, this.#inode(path, "open"), this);
    const key = pathKey(path);
    if (this.#visible.files.has(key) || this.#visible.directories.has(key)) {
      throw new DiskError("exists", `Cannot create "${path}": it exists`);
    }
    this.#checkDirectory(dirname(key), "create");
    const inode = new Inode();
    await this.#changeEntries("create", path, [dirname(key)], ({ files }) => files.set(key, inode));
    return new FaultyFile(path, inode, this);
  }

  async exists(path: string): Promise<boolean> {
    this.#checkPower();
    const key = pathKey(path);
    return this.#visible.files.has(key) || this.#visible.directories.has(key);
  }

  async list(directory: string): Promise<string[]> {
    this.#checkPower();
    return namesIn(pathKey(directory), [...this.#visible.files.keys(), ...this.#visible.directories]);
  }

  async makeDirectory(path: string): Promise<void> {
    const made = ancestry(pathKey(path));
    await this.#change("makeDirectory", path, undefined, () => {
      for (const entries of [this.#visible, this.#durable]) {
        for (const directory of made) entries.directories.add(directory);
      }
    });
  }

  async rename(from: string, to: string): Promise<void> {
    this.#checkPower();
    const inode = this.#inode(from, "rename");
    const [source, target] = [pathKey(from), pathKey(to)];
    this.#checkDirectory(dirname(target), "rename into");
    await this.#changeEntries("rename", from, [dirname(source), dirname(target)], ({ files }) => {
      files.delete(source);
      files.set(target, inode);
    });
  }

  async remove(path: string): Promise<void> {
    const key = pathKey(path);
    await this.#changeEntries("remove", path, [dirname(key)], ({ files }) => files.delete(key));
  }

  async removeDirectory(path: string): Promise<void> {
    const key = pathKey(path);
    await this.#changeEntries("remove", path, [dirname(key)], ({ files, directories }) => {
      for (const file of files.keys()) if (isWithin(key, file)) files.delete(file);
      for (const name of directories) if (name === key || isWithin(key, name)) directories.delete(name);
    });
  }

  async syncDirectory(path: string): Promise<void> {
    this.#checkPower();
    const key = pathKey(path);
    this.#checkDirectory(key, "sync");
    await this.#change("syncDirectory", path, undefined, () => {
      this.#unsynced = this.#unsynced.filter((change) => {
        if (change.kind !== "entry" || !change.directories.includes(key)) return true;
        change.apply(this.#durable);
        return false;
      });
    });
  }

  async freeBytes(): Promise<number> {
    this.#checkPower();
    return this.#freeBytes();
  }

  async totalBytes(): Promise<number> {
    this.#checkPower();
    return this.#capacityBytes;
  }

  /** For its files only. */
  async writeInode(path: string, inode: Inode, position: number, bytes: Uint8Array): Promise<void> {
    this.#checkPower();
    if (inode.growthBytes(position, bytes.byteLength) > this.#freeBytes()) {
      throw new DiskError("full", `Cannot write "${path}": no space left on the disk`);
    }
    // The disk reads the memory while the write is in flight: whoever changes it meanwhile has a bug.
    const sent = bytes.slice();
    const write: UnsyncedWrite = { kind: "write", inode, position, bytes: sent };
    await this.#change("write", path, write, () => {
      assert(Buffer.compare(sent, bytes) === 0, "memory changed while its write was in flight");
      inode.write(position, sent);
    });
  }

  /** For its files only. */
  async resizeInode(path: string, inode: Inode, sizeBytes: number): Promise<void> {
    await this.#change("resize", path, { kind: "resize", inode, sizeBytes }, () => inode.resize(sizeBytes));
  }

  /** For its files only. */
  readInode(path: string, inode: Inode, position: number, into: Uint8Array): number {
    this.#checkPower();
    const count = inode.content.read(position, into);
    const code = this.#options.onRead?.(path, position, into.subarray(0, count));
    if (code) throw new DiskError(code, `Cannot read "${path}": injected`);
    return count;
  }

  /** For its files only. */
  sizeInode(inode: Inode): number {
    this.#checkPower();
    return inode.content.sizeBytes;
  }

  #freeBytes(): number {
    let used = 0;
    for (const inode of this.#visible.files.values()) used += inode.blocks.size * blockBytes;
    return Math.max(0, this.#capacityBytes - used);
  }

  get #capacityBytes(): number {
    return this.#options.capacityBytes ?? Number.MAX_SAFE_INTEGER;
  }

  async #changeEntries(
    kind: DiskChange["kind"],
    path: string,
    directories: readonly string[],
    apply: (entries: Entries) => void,
  ): Promise<void> {
    // Stays on the list of what a crash may lose after the call has answered, until its directory is synced.
    await this.#change(kind, path, { kind: "entry", directories, apply }, () => apply(this.#visible));
  }

  async #change(
    kind: DiskChange["kind"],
    path: string,
    unsynced: Unsynced | undefined,
    apply: () => void,
  ): Promise<void> {
    this.#checkPower();
    const change: DiskChange = { number: ++this.#changes, kind, path };
    const code = this.#options.failChange?.(change);
    if (code) {
      if (unsynced?.kind === "write") keepBlocks(unsynced, blockBytes, (block) => block % 2 === 0);
      throw new DiskError(code, `Cannot ${kind} "${path}": injected`);
    }
    if (unsynced) this.#unsynced.push(unsynced);
    this.#options.onChange?.(change, "started");
    this.#checkPower();
    await this.#options.settle?.(change);
    this.#checkPower();
    if (unsynced && unsynced.kind !== "entry") {
      this.#unsynced = this.#unsynced.filter((other) => other !== unsynced);
    }
    apply();
    this.#options.onChange?.(change, "done");
    this.#checkPower();
  }

  #inode(path: string, action: string): Inode {
    const inode = this.#visible.files.get(pathKey(path));
    if (!inode) throw new DiskError("missing", `Cannot ${action} "${path}": no such file`);
    return inode;
  }

  #checkDirectory(key: string, action: string): void {
    if (this.#visible.directories.has(key)) return;
    throw new DiskError("missing", `Cannot ${action} "${key}": no such directory`);
  }

  #checkPower(): void {
    if (this.#crashed) throw new CrashedError();
  }
}

interface Entries {
  readonly files: Map<string, Inode>;
  readonly directories: Set<string>;
}

interface UnsyncedWrite {
  readonly kind: "write";
  readonly inode: Inode;
  readonly position: number;
  readonly bytes: Uint8Array;
}

type Unsynced =
  | UnsyncedWrite
  | { readonly kind: "resize"; readonly inode: Inode; readonly sizeBytes: number }
  | {
      readonly kind: "entry";
      readonly directories: readonly string[];
      readonly apply: (entries: Entries) => void;
    };

class Inode {
  readonly content = new SparseBytes();
  /** Blocks ever written, so that zeros take space here as they do on a disk. */
  readonly blocks = new Set<number>();

  write(position: number, bytes: Uint8Array): void {
    this.content.write(position, bytes);
    for (const block of blocksOf(position, bytes.byteLength)) this.blocks.add(block);
  }

  resize(sizeBytes: number): void {
    this.content.resize(sizeBytes);
    for (const block of this.blocks) if (block * blockBytes >= sizeBytes) this.blocks.delete(block);
  }

  growthBytes(position: number, sizeBytes: number): number {
    return blocksOf(position, sizeBytes).filter((block) => !this.blocks.has(block)).length * blockBytes;
  }
}

class FaultyFile implements File {
  readonly path: string;
  readonly #inode: Inode;
  readonly #system: FaultyFileSystem;

  constructor(path: string, inode: Inode, system: FaultyFileSystem) {
    this.path = path;
    this.#inode = inode;
    this.#system = system;
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    assertAligned(position, bytes);
    await this.#system.writeInode(this.path, this.#inode, position, bytes);
  }

  async read(position: number, into: Uint8Array): Promise<number> {
    assertAligned(position, into);
    return this.#system.readInode(this.path, this.#inode, position, into);
  }

  async sizeBytes(): Promise<number> {
    return this.#system.sizeInode(this.#inode);
  }

  async resize(sizeBytes: number): Promise<void> {
    await this.#system.resizeInode(this.path, this.#inode, sizeBytes);
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Applies to the durable state what the crash left of the changes that were not yet durable. */
function keepSome(
  unsynced: readonly Unsynced[],
  mode: CrashMode,
  random: () => number,
  durable: Entries,
): void {
  if (mode === "drop") return;
  const whole = mode === "prefix" ? Math.floor(random() * (unsynced.length + 1)) : 0;
  for (const [at, change] of unsynced.entries()) {
    if (mode === "prefix" && at > whole) return;
    const isKept = () => (mode === "prefix" ? at < whole : random() < 0.5);
    if (change.kind === "write") keepWrite(change, mode, at < whole, random);
    else if (!isKept()) continue;
    else if (change.kind === "resize") change.inode.resize(change.sizeBytes);
    else change.apply(durable);
  }
}

function keepWrite(
  write: UnsyncedWrite,
  mode: "prefix" | "subset" | "torn",
  isWhole: boolean,
  random: () => number,
): void {
  if (mode === "prefix") {
    const blocks = write.bytes.byteLength / blockBytes;
    const kept = isWhole ? blocks : Math.floor(random() * (blocks + 1));
    keepBlocks(write, blockBytes, (block) => block < kept);
  } else {
    keepBlocks(write, mode === "subset" ? blockBytes : sectorBytes, () => random() < 0.5);
  }
}

function keepBlocks(write: UnsyncedWrite, unitBytes: number, isKept: (unit: number) => boolean): void {
  for (let unit = 0; unit * unitBytes < write.bytes.byteLength; unit++) {
    if (!isKept(unit)) continue;
    const part = write.bytes.subarray(unit * unitBytes, (unit + 1) * unitBytes);
    write.inode.write(write.position + unit * unitBytes, part);
  }
}

function blocksOf(position: number, sizeBytes: number): number[] {
  const first = Math.floor(position / blockBytes);
  const end = Math.ceil((position + sizeBytes) / blockBytes);
  return Array.from({ length: end - first }, (_, at) => first + at);
}

function emptyEntries(): Entries {
  return { files: new Map(), directories: new Set() };
}
