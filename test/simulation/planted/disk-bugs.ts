import { blockBytes, DiskError, type File, type FileSystem, isDiskBroken } from "#storage/io/file.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** Bugs in how the disk is used: a file system that does not do all that it is asked for. */
export const diskBugs: readonly PlantedBug[] = [
  {
    name: "acknowledges before the journal is durable",
    trap: "an acknowledgement must wait for the durable write",
    wrapFiles: (files) =>
      withFiles(files, (file) => {
        if (!file.path.includes("/journal/")) return file;
        return {
          ...passing(file),
          write: (position, bytes) => inBackground(file.write(position, bytes.slice())),
        };
      }),
  },
  {
    name: "counts segments as durable before they are",
    trap: "what the journal lets go must be durable elsewhere",
    wrapFiles: (files) =>
      withFiles(files, (file) => {
        if (!file.path.endsWith(".log") || file.path.includes("/journal/")) return file;
        return {
          ...passing(file),
          write: (position, bytes) => inBackground(file.write(position, bytes.slice())),
        };
      }),
  },
  {
    name: "never syncs directories",
    trap: "creating, renaming and deleting files needs a directory sync",
    wrapFiles: (files) => withChanges(files, { syncDirectory: () => Promise.resolve() }),
  },
  {
    name: "renames without syncing the directory of segments",
    trap: "a renamed file comes back under its old name",
    wrapFiles: (files) =>
      withChanges(files, {
        syncDirectory: (path) => (path === "/data" ? Promise.resolve() : files.syncDirectory(path)),
      }),
  },
  {
    name: "cuts a torn tail one block too far",
    trap: "never truncate below what is committed",
    wrapFiles: (files) =>
      withFiles(files, (file) => {
        if (!file.path.endsWith(".log") || file.path.includes("/journal/")) return file;
        return { ...passing(file), resize: (sizeBytes) => file.resize(Math.max(0, sizeBytes - blockBytes)) };
      }),
  },
  {
    name: "goes on after a failed write",
    trap: "a failed durable write ends the process",
    wrapFiles: (files) =>
      withFiles(files, (file) => ({
        ...passing(file),
        write: (position, bytes) =>
          file.write(position, bytes).catch((error: unknown) => {
            if (!isDiskBroken(error)) throw error;
          }),
      })),
  },
  {
    name: "takes a full disk for a broken one",
    trap: "a full disk refuses produce, and ends nothing",
    wrapFiles: (files) =>
      withFiles(files, (file) => ({
        ...passing(file),
        write: (position, bytes) =>
          file.write(position, bytes).catch((error: unknown) => {
            throw error instanceof DiskError ? new DiskError("io", error.message) : error;
          }),
      })),
  },
  {
    name: "loses the middle of large writes",
    trap: "a short write is an error",
    wrapFiles: (files) =>
      withFiles(files, (file) => {
        const write = (position: number, bytes: Uint8Array) =>
          file.write(position, bytes.byteLength > 4 * blockBytes ? withHole(bytes) : bytes);
        return { ...passing(file), write };
      }),
  },
];

/** A write that nobody waits for: what comes of it is nobody's business. */
function inBackground(write: Promise<void>): Promise<void> {
  write.catch(() => undefined);
  return Promise.resolve();
}

function withHole(bytes: Uint8Array): Uint8Array {
  const spoiled = bytes.slice();
  spoiled.fill(0, 2 * blockBytes, 3 * blockBytes);
  return spoiled;
}

/** The same file with methods that can be spread. */
function passing(file: File): File {
  return {
    path: file.path,
    write: (position, bytes) => file.write(position, bytes),
    read: (position, into) => file.read(position, into),
    sizeBytes: () => file.sizeBytes(),
    resize: (sizeBytes) => file.resize(sizeBytes),
    close: () => file.close(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

function withFiles(files: FileSystem, wrap: (file: File) => File): FileSystem {
  return withChanges(files, { open: async (path, mode) => wrap(await files.open(path, mode)) });
}

function withChanges(files: FileSystem, changes: Partial<FileSystem>): FileSystem {
  return {
    open: (path, mode) => files.open(path, mode),
    exists: (path) => files.exists(path),
    list: (directory) => files.list(directory),
    makeDirectory: (path) => files.makeDirectory(path),
    rename: (from, to) => files.rename(from, to),
    remove: (path) => files.remove(path),
    removeDirectory: (path) => files.removeDirectory(path),
    syncDirectory: (path) => files.syncDirectory(path),
    freeBytes: (path) => files.freeBytes(path),
    totalBytes: (path) => files.totalBytes(path),
    ...changes,
  };
}
