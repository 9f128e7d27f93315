import { dirname, normalize } from "node:path";
import { assertAligned } from "./alignment.ts";
import { DiskError, type File, type FileSystem } from "./file.ts";
import { SparseBytes } from "./sparse-bytes.ts";

/** A file system in memory, for embedded brokers and tests; nothing outlives the object. */
export class MemoryFileSystem implements FileSystem {
  readonly #bytesMax: number;
  readonly #files = new Map<string, SparseBytes>();
  readonly #directories = new Set<string>();

  constructor({ bytesMax = Number.MAX_SAFE_INTEGER }: { bytesMax?: number } = {}) {
    this.#bytesMax = bytesMax;
  }

  async open(path: string, mode: "create" | "existing"): Promise<File> {
    const key = pathKey(path);
    const content = this.#files.get(key);
    if (mode === "existing") {
      if (!content) throw new DiskError("missing", `Cannot open "${path}": no such file`);
      return new MemoryFile(path, content, this);
    }
    if (content || this.#directories.has(key)) {
      throw new DiskError("exists", `Cannot create "${path}": it exists`);
    }
    if (!this.#directories.has(dirname(key))) {
      throw new DiskError("missing", `Cannot create "${path}": no such directory`);
    }
    const created = new SparseBytes();
    this.#files.set(key, created);
    return new MemoryFile(path, created, this);
  }

  async exists(path: string): Promise<boolean> {
    const key = pathKey(path);
    return this.#files.has(key) || this.#directories.has(key);
  }

  async list(directory: string): Promise<string[]> {
    return namesIn(pathKey(directory), [...this.#files.keys(), ...this.#directories]);
  }

  async makeDirectory(path: string): Promise<void> {
    for (const directory of ancestry(pathKey(path))) this.#directories.add(directory);
  }

  async rename(from: string, to: string): Promise<void> {
    const content = this.#files.get(pathKey(from));
    if (!content) throw new DiskError("missing", `Cannot rename "${from}": no such file`);
    this.#files.delete(pathKey(from));
    this.#files.set(pathKey(to), content);
  }

  async remove(path: string): Promise<void> {
    this.#files.delete(pathKey(path));
  }

  async removeDirectory(path: string): Promise<void> {
    const key = pathKey(path);
    for (const file of this.#files.keys()) if (isWithin(key, file)) this.#files.delete(file);
    for (const directory of this.#directories) {
      if (directory === key || isWithin(key, directory)) this.#directories.delete(directory);
    }
  }

  async syncDirectory(path: string): Promise<void> {
    if (!this.#directories.has(pathKey(path))) {
      throw new DiskError("missing", `Cannot sync directory "${path}": no such directory`);
    }
  }

  async freeBytes(): Promise<number> {
    if (this.#bytesMax === Number.MAX_SAFE_INTEGER) return this.#bytesMax;
    let used = 0;
    for (const content of this.#files.values()) used += content.usedBytes;
    return Math.max(0, this.#bytesMax - used);
  }

  async totalBytes(): Promise<number> {
    return this.#bytesMax;
  }
}

class MemoryFile implements File {
  readonly path: string;
  readonly #content: SparseBytes;
  readonly #system: MemoryFileSystem;

  constructor(path: string, content: SparseBytes, system: MemoryFileSystem) {
    this.path = path;
    this.#content = content;
    this.#system = system;
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    assertAligned(position, bytes);
    const growthBytes = this.#content.growthBytes(position, bytes.byteLength);
    if (growthBytes > 0 && growthBytes > (await this.#system.freeBytes())) {
      throw new DiskError("full", `Cannot write "${this.path}": no memory left in its budget`);
    }
    this.#content.write(position, bytes);
  }

  async read(position: number, into: Uint8Array): Promise<number> {
    assertAligned(position, into);
    return this.#content.read(position, into);
  }

  async sizeBytes(): Promise<number> {
    return this.#content.sizeBytes;
  }

  async resize(sizeBytes: number): Promise<void> {
    this.#content.resize(sizeBytes);
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** One spelling for each path: normal form, no separator at the end. */
export function pathKey(path: string): string {
  const normal = normalize(path);
  return normal.length > 1 && /[\\/]$/.test(normal) ? normal.slice(0, -1) : normal;
}

/** The path and all its parents, the outermost first. */
export function ancestry(key: string): string[] {
  const parent = dirname(key);
  return parent === key ? [key] : [...ancestry(parent), key];
}

/** Whether `key` lies below `directory`, at any depth. */
export function isWithin(directory: string, key: string): boolean {
  for (let parent = dirname(key); ; parent = dirname(parent)) {
    if (parent === directory) return true;
    if (parent === dirname(parent)) return false;
  }
}

/** Sorted names of the keys that lie directly in `directory`. */
export function namesIn(directory: string, keys: readonly string[]): string[] {
  const names = keys
    .filter((key) => key !== directory && dirname(key) === directory)
    .map((key) => key.slice(key.lastIndexOf(key.includes("\\") ? "\\" : "/") + 1));
  return names.sort();
}
