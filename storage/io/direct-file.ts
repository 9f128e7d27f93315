import assert from "node:assert/strict";
import fs, { constants } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { alignDown, assertAligned } from "./alignment.ts";
import { BufferArena } from "./buffer-arena.ts";
import { diskError, systemCode } from "./disk-errors.ts";
import { blockBytes, DiskError, type File, type FileSystem } from "./file.ts";
import { Gate } from "./gate.ts";

/** direct: `O_DIRECT|O_DSYNC` · buffered: through the page cache, fdatasync after each write. */
export type WriteMode = "direct" | "buffered";

export interface DirectFileSystem extends FileSystem {
  /** How the probed directory's file system is written; others are probed when first met. */
  readonly mode: WriteMode;
}

export interface DirectFileSystemOptions {
  /** A directory that exists on the file system that matters. */
  probeDirectory: string;
  /**
   * Reads that may be with the disk at once, 2 unless told. All calls of the process share the runtime's thread
   * pool (4 threads by default), so this leaves threads for journal writes however many cold reads wait.
   */
  readsInFlightMax?: number;
  /** Writes at once, unbounded unless told. For files whose bulk writes must not hold up those of the journal. */
  writesInFlightMax?: number;
  /** Takes this mode everywhere in place of probing. */
  mode?: WriteMode;
  /** Told once for each file system how it is written. */
  onMode?: (fact: { directory: string; mode: WriteMode }) => void;
}

/** Opens the machine's own disk; throws DiskError when the probe directory cannot be written at all. */
export async function openDirectFileSystem(options: DirectFileSystemOptions): Promise<DirectFileSystem> {
  const modes = new WriteModes(options.mode, options.onMode);
  const mode = await modes.modeOf(options.probeDirectory);
  const gates = {
    reads: new Gate(options.readsInFlightMax ?? 2),
    writes: options.writesInFlightMax === undefined ? undefined : new Gate(options.writesInFlightMax),
  };
  return new NodeFileSystem(mode, modes, gates);
}

interface Gates {
  readonly reads: Gate;
  readonly writes: Gate | undefined;
}

class NodeFileSystem implements DirectFileSystem {
  readonly mode: WriteMode;
  readonly #modes: WriteModes;
  readonly #gates: Gates;

  constructor(mode: WriteMode, modes: WriteModes, gates: Gates) {
    this.mode = mode;
    this.#modes = modes;
    this.#gates = gates;
  }

  async open(path: string, mode: "create" | "existing"): Promise<File> {
    const action = mode === "create" ? "create" : "open";
    try {
      const writeMode = await this.#modes.modeOf(dirname(path));
      const creation = mode === "create" ? constants.O_CREAT | constants.O_EXCL : 0;
      const handle = await fs.promises.open(path, flagsOf(writeMode) | creation, 0o644);
      return new NodeFile(path, handle, writeMode, this.#gates);
    } catch (error) {
      throw error instanceof DiskError ? error : diskError(action, path, error);
    }
  }

  async exists(path: string): Promise<boolean> {
    try {
      await fs.promises.stat(path);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw diskError("look up", path, error);
    }
  }

  async list(directory: string): Promise<string[]> {
    try {
      return (await fs.promises.readdir(directory)).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw diskError("list", directory, error);
    }
  }

  async makeDirectory(path: string): Promise<void> {
    try {
      const made = resolve(path);
      const first = (await fs.promises.mkdir(made, { recursive: true })) ?? made;
      // Each new directory is an entry of its parent: sync from the deepest one up to what was there before.
      // One that was there may be an earlier process's, killed before its own sync: its entry is synced too.
      for (let directory = made; ; directory = dirname(directory)) {
        await syncEntries(directory);
        if (directory === dirname(resolve(first)) || directory === dirname(directory)) return;
      }
    } catch (error) {
      throw diskError("make directory", path, error);
    }
  }

  async rename(from: string, to: string): Promise<void> {
    try {
      await fs.promises.rename(from, to);
    } catch (error) {
      throw diskError("rename", from, error);
    }
  }

  async remove(path: string): Promise<void> {
    try {
      await fs.promises.unlink(path);
    } catch (error) {
      if (!isMissing(error)) throw diskError("remove", path, error);
    }
  }

  async removeDirectory(path: string): Promise<void> {
    try {
      await fs.promises.rm(path, { recursive: true, force: true });
    } catch (error) {
      throw diskError("remove directory", path, error);
    }
  }

  async syncDirectory(path: string): Promise<void> {
    try {
      await syncEntries(path);
    } catch (error) {
      throw diskError("sync directory", path, error);
    }
  }

  async freeBytes(path: string): Promise<number> {
    try {
      const { bavail, bsize } = await fs.promises.statfs(path);
      return bavail * bsize;
    } catch (error) {
      throw diskError("ask free space of", path, error);
    }
  }

  async totalBytes(path: string): Promise<number> {
    try {
      const { blocks, bsize } = await fs.promises.statfs(path);
      return blocks * bsize;
    } catch (error) {
      throw diskError("ask the size of", path, error);
    }
  }
}

class NodeFile implements File {
  readonly path: string;
  readonly #handle: fs.promises.FileHandle;
  readonly #mode: WriteMode;
  readonly #gates: Gates;
  #callsInFlight = 0;
  #onIdle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(path: string, handle: fs.promises.FileHandle, mode: WriteMode, gates: Gates) {
    this.path = path;
    this.#handle = handle;
    this.#mode = mode;
    this.#gates = gates;
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    assertAligned(position, bytes);
    const { writes } = this.#gates;
    const write = () => this.#writeFully(position, bytes);
    await this.#whileOpen(() => (writes ? writes.pass(write) : write()));
  }

  async read(position: number, into: Uint8Array): Promise<number> {
    assertAligned(position, into);
    try {
      return await this.#whileOpen(() => this.#gates.reads.pass(() => this.#readFully(position, into)));
    } catch (error) {
      throw error instanceof assert.AssertionError ? error : diskError("read", this.path, error);
    }
  }

  async sizeBytes(): Promise<number> {
    try {
      return (await this.#handle.stat()).size;
    } catch (error) {
      throw diskError("ask the size of", this.path, error);
    }
  }

  async resize(sizeBytes: number): Promise<void> {
    try {
      await this.#handle.truncate(sizeBytes);
      await this.#handle.sync();
    } catch (error) {
      throw diskError("resize", this.path, error);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeWhenIdle();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Keeps the descriptor open: a call still in the thread pool's queue could otherwise meet another file under its number. */
  async #whileOpen<Result>(work: () => Promise<Result>): Promise<Result> {
    assert(!this.#closed, "the file is closed");
    this.#callsInFlight++;
    try {
      return await work();
    } finally {
      this.#callsInFlight--;
      if (this.#callsInFlight === 0) this.#onIdle?.();
    }
  }

  async #closeWhenIdle(): Promise<void> {
    if (this.#callsInFlight > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.#handle.close();
  }

  /**
   * A disk that runs full, or a signal, may end a write early. What was taken is durable and is not written again, but
   * the rest is asked for: a full disk then says so itself, and only an error leaves anything unknown.
   */
  async #writeFully(position: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    for (;;) {
      const written = await this.#writeOnce(position + done, bytes.subarray(done));
      // Direct writes begin on blocks: one that was taken in part is written once more as a whole.
      done += alignDown(written);
      if (done === bytes.byteLength) return;
      if (alignDown(written) === 0) {
        throw diskError("write", this.path, new ShortWriteError(written, bytes.byteLength - done));
      }
    }
  }

  /** By callback: one allocation less than the handle's promises on the path of every acknowledged record. */
  #writeOnce(position: number, bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.#handle.fd, bytes, 0, bytes.byteLength, position, (error, written) => {
        const settle = (failure: Error | null) =>
          failure ? reject(diskError("write", this.path, failure)) : resolve(written);
        if (error) settle(error);
        else if (this.#mode === "buffered") fs.fdatasync(this.#handle.fd, settle);
        else settle(null);
      });
    });
  }

  async #readFully(position: number, into: Uint8Array): Promise<number> {
    let done = 0;
    while (done < into.byteLength) {
      const count = await readOnce(this.#handle.fd, into.subarray(done), position + done);
      done += count;
      // A count off the block grid is the end of the file; to ask again from there would be refused (EINVAL).
      if (count === 0 || done % blockBytes !== 0) break;
    }
    return done;
  }
}

const probeName = ".probe";

/** Knows for each file system, told apart by device number, how it takes durable writes. */
class WriteModes {
  readonly #byDevice = new Map<number, Promise<WriteMode>>();
  readonly #forced: WriteMode | undefined;
  readonly #onMode: DirectFileSystemOptions["onMode"];

  constructor(forced: WriteMode | undefined, onMode: DirectFileSystemOptions["onMode"]) {
    this.#forced = forced;
    this.#onMode = onMode;
  }

  async modeOf(directory: string): Promise<WriteMode> {
    try {
      const { dev } = await fs.promises.stat(directory);
      const known = this.#byDevice.get(dev);
      if (known) return await known;
      const probing = this.#forced ? Promise.resolve(this.#forced) : probe(directory);
      this.#byDevice.set(dev, probing);
      // A probe that failed says nothing of the file system: the next file asks again.
      probing.catch(() => this.#byDevice.delete(dev));
      const mode = await probing;
      this.#onMode?.({ directory, mode });
      return mode;
    } catch (error) {
      throw error instanceof DiskError ? error : diskError("probe", directory, error);
    }
  }
}

/** Writes and reads one block with `O_DIRECT`: file systems may refuse it at open, or only then. */
async function probe(directory: string): Promise<WriteMode> {
  if (constants.O_DIRECT === undefined || constants.O_DSYNC === undefined) return "buffered";
  // A file, not a directory: that would need a block where a full disk has none.
  const path = join(directory, probeName);
  const block = new BufferArena({ bytesMax: 65_536, memoryBytes: 65_536 }).allocate(blockBytes);
  try {
    const handle = await fs.promises.open(path, flagsOf("direct") | constants.O_CREAT, 0o600);
    try {
      const { bytesWritten } = await handle.write(block, 0, blockBytes, 0);
      const { bytesRead } = await handle.read(block, 0, blockBytes, 0);
      return bytesWritten === blockBytes && bytesRead === blockBytes ? "direct" : "buffered";
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === "EINVAL" || code === "ENOTSUP" || code === "EOPNOTSUPP") return "buffered";
    // Asked for room, it had taken the write for what it is: what a full disk holds can be served, and deleted.
    if (code === "ENOSPC" || code === "EDQUOT") return "direct";
    throw error;
  } finally {
    await fs.promises.rm(path, { force: true });
  }
}

class ShortWriteError extends Error {
  constructor(written: number, wanted: number) {
    super(`only ${written} of ${wanted} bytes were taken`);
    this.name = "ShortWriteError";
  }
}

function flagsOf(mode: WriteMode): number {
  return mode === "direct" ? constants.O_RDWR | constants.O_DIRECT | constants.O_DSYNC : constants.O_RDWR;
}

function readOnce(descriptor: number, into: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(descriptor, into, 0, into.byteLength, position, (error, count) =>
      error ? reject(error) : resolve(count),
    );
  });
}

async function syncEntries(directory: string): Promise<void> {
  // Windows has no handle to sync a directory by; its file systems journal the entries themselves.
  if (process.platform === "win32") return;
  await using handle = await fs.promises.open(directory, constants.O_RDONLY);
  await handle.sync();
}

function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}
