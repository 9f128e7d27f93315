import type { File, FileSystem } from "../io/file.ts";

interface Opened {
  readonly path: string;
  readonly file: Promise<File>;
  users: number;
  /** No longer in the pool: the last user closes it. */
  isForgotten: boolean;
}

/** Open files of all logs: shared by their users, kept open while there is room, least recently used closed first. */
export class OpenFiles implements AsyncDisposable {
  readonly #files: FileSystem;
  readonly #openMax: number;
  readonly #opened = new Map<string, Opened>();

  /** `openMax` bounds idle files; those in use at one time may be more. */
  constructor(files: FileSystem, openMax = 512) {
    this.#files = files;
    this.#openMax = openMax;
  }

  get openCount(): number {
    return this.#opened.size;
  }

  /** Lends a file for the time of `work`. @throws DiskError, and what `work` throws. */
  async use<T>(path: string, mode: "create" | "existing", work: (file: File) => Promise<T>): Promise<T> {
    const opened = this.#take(path, mode);
    opened.users++;
    try {
      return await work(await opened.file);
    } finally {
      opened.users--;
      await this.#closeIdle(opened);
    }
  }

  /** Lets go of a file that is about to be removed or renamed; those who use it now finish first. */
  async forget(path: string): Promise<void> {
    const opened = this.#opened.get(path);
    if (!opened) return;
    this.#drop(opened);
    await this.#closeIdle(opened);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of [...this.#opened.keys()]) await this.forget(path);
  }

  #take(path: string, mode: "create" | "existing"): Opened {
    let opened = this.#opened.get(path);
    if (opened) {
      this.#opened.delete(path);
    } else {
      const fresh: Opened = { path, file: this.#files.open(path, mode), users: 0, isForgotten: false };
      // A failed opening is not kept: the next user tries again.
      fresh.file.catch(() => this.#drop(fresh));
      opened = fresh;
    }
    this.#opened.set(path, opened);
    return opened;
  }

  async #closeIdle(released: Opened): Promise<void> {
    if (released.isForgotten && released.users === 0) await close(released);
    if (this.#opened.size <= this.#openMax) return;
    for (const opened of [...this.#opened.values()]) {
      if (this.#opened.size <= this.#openMax) return;
      if (opened.users > 0 || opened.isForgotten) continue;
      this.#drop(opened);
      await close(opened);
    }
  }

  #drop(opened: Opened): void {
    opened.isForgotten = true;
    if (this.#opened.get(opened.path) === opened) this.#opened.delete(opened.path);
  }
}

async function close(opened: Opened): Promise<void> {
  let file: File;
  try {
    file = await opened.file;
  } catch {
    return; // It never opened.
  }
  await file.close();
}
