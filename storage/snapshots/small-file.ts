/**
 * Small durable files, replaced as a whole: a reader sees the old contents or the new ones, never a mixture.
 *
 * A snapshot is such a file with a header that tells damage:
 *
 * | position | bytes | field                                        |
 * |----------|-------|----------------------------------------------|
 * | 0        | 4     | magic "MILS"                                 |
 * | 4        | 2     | layout of this header, 1                     |
 * | 6        | 2     | version of the payload, the caller's         |
 * | 8        | 4     | payload bytes                                |
 * | 12       | 4     | checksum of the payload, seeded by that of bytes 0 to 12 |
 * | 16       |       | payload                                      |
 */
import { dirname } from "node:path/posix";
import { type AlignedMemory, withAligned } from "../io/aligned-loan.ts";
import { alignDown, alignUp } from "../io/alignment.ts";
import { blockBytes, DiskError, type File, type FileSystem } from "../io/file.ts";

/** CRC-32C, continued from `seed`. */
export type Checksum = (bytes: Uint8Array, seed?: number) => number;

/** What reading and writing small files needs. */
export interface SmallFileDisk {
  readonly files: FileSystem;
  readonly arena: AlignedMemory;
}

/** A snapshot whose bytes do not check out. */
export class SnapshotCorruptError extends Error {
  readonly path: string;

  constructor(path: string, reason: string) {
    super(`Cannot read snapshot "${path}": ${reason}`);
    this.name = "SnapshotCorruptError";
    this.path = path;
  }
}

/** Names that end so are unfinished replacements, left by a crash: whoever owns the directory removes them. */
export const temporarySuffix = ".tmp";

const headerBytes = 16;
const magic = 0x4d_49_4c_53;
const headerLayout = 1;
/** Largest single read or write: bounds the aligned memory in use. */
const pieceBytes = 1_048_576;
/** A window of that size which begins within a block is one read all the same. */
const readBytesMax = pieceBytes + blockBytes;

/** Replaces the snapshot at `path`, durably. @throws DiskError */
export async function writeSnapshot(
  disk: SmallFileDisk & { readonly checksum: Checksum },
  path: string,
  snapshot: { version: number; payload: Uint8Array },
): Promise<void> {
  await replaceFile(disk, path, encodeSnapshot(disk, snapshot));
}

/** The bytes of a snapshot's file, for those who write it together with others. */
export function encodeSnapshot(
  disk: { readonly checksum: Checksum },
  snapshot: { version: number; payload: Uint8Array },
): Uint8Array {
  const bytes = new Uint8Array(headerBytes + snapshot.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  view.setUint16(4, headerLayout);
  view.setUint16(6, snapshot.version);
  view.setUint32(8, snapshot.payload.length);
  view.setUint32(12, disk.checksum(snapshot.payload, disk.checksum(bytes.subarray(0, 12))));
  bytes.set(snapshot.payload, headerBytes);
  return bytes;
}

/** The snapshot at `path`; undefined when there is none. @throws SnapshotCorruptError, DiskError */
export async function readSnapshot(
  disk: SmallFileDisk & { readonly checksum: Checksum },
  path: string,
): Promise<{ version: number; payload: Uint8Array } | undefined> {
  const bytes = await readFile(disk, path);
  if (!bytes) return undefined;
  if (bytes.length < headerBytes)
    throw new SnapshotCorruptError(path, `${bytes.length} bytes hold no header`);

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0) !== magic)
    throw new SnapshotCorruptError(path, "its first bytes are not a snapshot's");
  if (view.getUint16(4) !== headerLayout) {
    throw new SnapshotCorruptError(path, `its layout ${view.getUint16(4)} is unknown`);
  }
  const payload = bytes.subarray(headerBytes);
  if (view.getUint32(8) !== payload.length) {
    throw new SnapshotCorruptError(path, `it holds ${payload.length} of ${view.getUint32(8)} bytes`);
  }
  const checksum = disk.checksum(payload, disk.checksum(bytes.subarray(0, 12)));
  if (view.getUint32(12) !== checksum >>> 0)
    throw new SnapshotCorruptError(path, "its checksum does not match");
  return { version: view.getUint16(6), payload };
}

/** Replaces the whole contents of `path`, durably: written aside, cut to size, renamed. @throws DiskError */
export async function replaceFile(disk: SmallFileDisk, path: string, contents: Uint8Array): Promise<void> {
  await replaceFileUnsynced(disk, path, contents);
  await disk.files.syncDirectory(dirname(path));
}

/** As `replaceFile`, but the name is durable only after the caller's `syncDirectory`: one for several files. */
export async function replaceFileUnsynced(
  disk: SmallFileDisk,
  path: string,
  contents: Uint8Array,
): Promise<void> {
  const temporary = path + temporarySuffix;
  {
    await using file = await createAnew(disk.files, temporary);
    await writeAll(disk, file, contents);
    await file.resize(contents.length);
  }
  await disk.files.rename(temporary, path);
}

/** The whole contents of `path`, in memory of their own; undefined when there is no such file. @throws DiskError */
export async function readFile(disk: SmallFileDisk, path: string): Promise<Uint8Array | undefined> {
  let opened: File;
  try {
    opened = await disk.files.open(path, "existing");
  } catch (error) {
    if (error instanceof DiskError && error.code === "missing") return undefined;
    throw error;
  }
  await using file = opened;
  // Awaited here: the file is closed when this returns.
  return await readRange(disk, file, { position: 0, sizeBytes: await file.sizeBytes() });
}

/** Bytes of a file, in memory of their own; fewer than asked for at its end. @throws DiskError */
export async function readRange(
  disk: Pick<SmallFileDisk, "arena">,
  file: File,
  range: { position: number; sizeBytes: number },
): Promise<Uint8Array> {
  // Slow: not from Node's pool, where a view would keep strangers' memory alive.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(range.sizeBytes).buffer);
  const wanted = range.position + range.sizeBytes;
  let filled = 0;
  while (filled < range.sizeBytes) {
    const at = range.position + filled;
    const blockStart = alignDown(at);
    const length = Math.min(alignUp(wanted) - blockStart, readBytesMax);
    const count = await withAligned(disk.arena, length, async (buffer) => {
      const count = await file.read(blockStart, buffer.subarray(0, length));
      const end = Math.min(count, wanted - blockStart);
      if (end > at - blockStart) bytes.set(buffer.subarray(at - blockStart, end), filled);
      return count;
    });
    filled += Math.max(0, Math.min(count, wanted - blockStart) - (at - blockStart));
    if (count < length) break; // The end of the file.
  }
  return bytes.subarray(0, filled);
}

/** A file of that name may be left from a crash, or from a disk that was full. */
async function createAnew(files: FileSystem, path: string): Promise<File> {
  try {
    return await files.open(path, "create");
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== "exists") throw error;
    await files.remove(path);
    return files.open(path, "create");
  }
}

async function writeAll(disk: SmallFileDisk, file: File, contents: Uint8Array): Promise<void> {
  for (let position = 0; position < contents.length; position += pieceBytes) {
    const piece = contents.subarray(position, position + pieceBytes);
    const length = alignUp(piece.length);
    await withAligned(disk.arena, length, async (buffer) => {
      buffer.set(piece);
      buffer.fill(0, piece.length, length);
      await file.write(position, buffer.subarray(0, length));
    });
  }
}
