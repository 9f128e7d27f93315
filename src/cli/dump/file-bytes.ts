import { type FileHandle, open } from "node:fs/promises";

const windowBytes = 1 << 20;

/** A file that is read front to back in pieces of any size, with one window of memory. */
export class FileBytes implements AsyncDisposable {
  readonly path: string;
  readonly sizeBytes: number;
  readonly #handle: FileHandle;
  #window = Buffer.alloc(0);
  #windowStart = 0;

  /** @throws what the system says */
  static async open(path: string): Promise<FileBytes> {
    const handle = await open(path, "r");
    try {
      return new FileBytes(path, handle, (await handle.stat()).size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private constructor(path: string, handle: FileHandle, sizeBytes: number) {
    this.path = path;
    this.#handle = handle;
    this.sizeBytes = sizeBytes;
  }

  /** The bytes at `position`, fewer at the end of the file; good until the next call. */
  async at(position: number, sizeBytes: number): Promise<Buffer> {
    const start = position - this.#windowStart;
    if (start < 0 || start + sizeBytes > this.#window.length) {
      await this.#fill(position, Math.min(Math.max(sizeBytes, windowBytes), this.sizeBytes - position));
    }
    const from = position - this.#windowStart;
    return this.#window.subarray(from, from + sizeBytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  async #fill(position: number, sizeBytes: number): Promise<void> {
    const bytes = Buffer.allocUnsafe(Math.max(sizeBytes, 0));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await this.#handle.read(bytes, filled, bytes.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    this.#window = bytes.subarray(0, filled);
    this.#windowStart = position;
  }
}
