import { open, readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** A place in a file where some text was found. */
export interface FoundText {
  readonly path: string;
  readonly position: number;
}

/** Every occurrence of a text in the files of a directory whose path passes the filter, ordered by path and position. */
export async function findText(
  directory: string,
  text: string,
  accepts: (path: string) => boolean,
): Promise<FoundText[]> {
  const found: FoundText[] = [];
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !accepts(relative(directory, path))) continue;
    const bytes = await readFile(path);
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1))
      found.push({ path, position: at });
  }
  return found.toSorted((a, b) => (a.path === b.path ? a.position - b.position : a.path < b.path ? -1 : 1));
}

/** Flips one bit of the byte at a place, as a failing disk does. */
export async function flipBit({ path, position }: FoundText): Promise<void> {
  const file = await open(path, "r+");
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    byte.writeUInt8(byte.readUInt8(0) ^ 0x10);
    await file.write(byte, 0, 1, position);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Overwrites everything from a place on with zeros, as a write that never reached the disk leaves it. */
export async function zeroFrom({ path, position }: FoundText): Promise<void> {
  const file = await open(path, "r+");
  try {
    const { size } = await file.stat();
    await file.write(Buffer.alloc(size - position), 0, size - position, position);
    await file.sync();
  } finally {
    await file.close();
  }
}
