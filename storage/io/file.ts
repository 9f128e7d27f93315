/**
 * The disk as storage sees it: a port with direct, memory and faulty implementations.
 *
 * Everything durable goes through `write`, whose resolution means that the bytes survive a power loss
 * (`O_DSYNC`, or write + fdatasync). There is no separate sync and so none to forget or to retry.
 */

/** Alignment of positions, lengths and memory in reads and writes. */
export const blockBytes = 4096;

export interface File extends AsyncDisposable {
  readonly path: string;

  /**
   * Writes all of `bytes` at `position`, extending the file as needed; durable once resolved.
   *
   * Position and length are multiples of `blockBytes`, and `bytes` is aligned memory (`BufferArena`).
   * @throws DiskError; after "io" nothing is known of the range and the caller must not try again.
   */
  write(position: number, bytes: Uint8Array): Promise<void>;

  /** Fills `into` (aligned as for `write`) from `position`; answers the bytes read, fewer only at the end of the file. */
  read(position: number, into: Uint8Array): Promise<number>;

  sizeBytes(): Promise<number>;

  /** Cuts or zero-extends to any size, durably. */
  resize(sizeBytes: number): Promise<void>;

  close(): Promise<void>;
}

export interface FileSystem {
  /**
   * Opens for reading and writing; "create" refuses a path that is there ("exists"), "existing" one that is not ("missing").
   * A created entry is durable only after `syncDirectory` of its parent.
   */
  open(path: string, mode: "create" | "existing"): Promise<File>;
  exists(path: string): Promise<boolean>;
  /** Names in a directory, sorted; empty when it does not exist. */
  list(directory: string): Promise<string[]>;
  /** Makes the directory and its parents, durably. */
  makeDirectory(path: string): Promise<void>;
  /** Replaces `to` atomically; durable only after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>;
  /** Removes one file; a missing one is no error. */
  remove(path: string): Promise<void>;
  /** Removes a directory with all that is in it; a missing one is no error. */
  removeDirectory(path: string): Promise<void>;
  /** Makes creations, renames and removals in a directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Bytes that can still be written where `path` lies. */
  freeBytes(path: string): Promise<number>;
  /** Bytes that the disk has in all where `path` lies, used and reserved ones included. */
  totalBytes(path: string): Promise<number>;
}

export type DiskErrorCode = "io" | "full" | "missing" | "exists" | "permission" | "busy";

/** A failed call to the disk; `cause` is the system's own error. */
export class DiskError extends Error {
  readonly code: DiskErrorCode;

  constructor(code: DiskErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DiskError";
    this.code = code;
  }
}

/** The one disk error that time can mend: nothing was written, and a later try may succeed. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof DiskError && error.code === "full";
}

/** Nothing is known of what is on the disk any more: whoever trusts it must end. */
export function isDiskBroken(error: unknown): boolean {
  return error instanceof DiskError && error.code === "io";
}
