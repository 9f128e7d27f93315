import { DiskError, type File, type FileSystem } from "#storage/io/file.ts";
import { MemoryFileSystem } from "#storage/io/memory-file.ts";

/** One write of a file: its bytes as they were handed over. */
export interface DiskWrite {
  readonly path: string;
  readonly position: number;
  readonly bytes: Uint8Array;
}

interface HeldWrite {
  readonly write: DiskWrite;
  readonly end: (error?: DiskError) => void;
}

/** A disk that counts writes and holds back those that a test picks, until the test ends them. */
export class HeldDisk {
  readonly files: FileSystem;
  /** Which writes are held; none until told. */
  holds: (write: DiskWrite) => boolean = () => false;
  /** Told of each write the moment that it is durable, before its caller is. */
  onDurable: (write: DiskWrite) => void = () => undefined;
  #held: HeldWrite[] = [];
  #heldCount = 0;

  constructor() {
    const memory = new MemoryFileSystem();
    this.files = {
      open: async (path, mode) => this.#watched(await memory.open(path, mode)),
      exists: (path) => memory.exists(path),
      list: (directory) => memory.list(directory),
      makeDirectory: (path) => memory.makeDirectory(path),
      rename: (from, to) => memory.rename(from, to),
      remove: (path) => memory.remove(path),
      removeDirectory: (path) => memory.removeDirectory(path),
      syncDirectory: (path) => memory.syncDirectory(path),
      freeBytes: () => memory.freeBytes(),
      totalBytes: () => memory.totalBytes(),
    };
  }

  /** Writes held now, oldest first. */
  get held(): readonly DiskWrite[] {
    return this.#held.map(({ write }) => write);
  }

  /** Writes that were ever held. */
  get heldCount(): number {
    return this.#heldCount;
  }

  /** Lets one of the held writes reach the disk. */
  letGo(at = 0): void {
    this.#held.splice(at, 1)[0]?.end();
  }

  /** Lets one of the held writes fail: nothing of it is on the disk. */
  fail(at = 0): void {
    this.#held.splice(at, 1)[0]?.end(new DiskError("io", "Cannot write: injected"));
  }

  /** Holds nothing any more. */
  letAllGo(): void {
    this.holds = () => false;
    for (const { end } of this.#held.splice(0)) end();
  }

  #watched(file: File): File {
    return {
      path: file.path,
      write: async (position, bytes) => {
        const write = { path: file.path, position, bytes: bytes.slice() };
        if (this.holds(write)) await this.#hold(write);
        await file.write(position, bytes);
        this.onDurable(write);
      },
      read: (position, into) => file.read(position, into),
      sizeBytes: () => file.sizeBytes(),
      resize: (sizeBytes) => file.resize(sizeBytes),
      close: () => file.close(),
      [Symbol.asyncDispose]: () => file.close(),
    };
  }

  #hold(write: DiskWrite): Promise<void> {
    this.#heldCount += 1;
    return new Promise((resolve, reject) => {
      this.#held.push({ write, end: (error) => (error ? reject(error) : resolve()) });
    });
  }
}
