import assert from "node:assert/strict";
import { blockBytes } from "./file.ts";

/** Rounds a size in bytes up to whole blocks. */
export function alignUp(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockBytes) * blockBytes;
}

/** Rounds a position down to the start of its block. */
export function alignDown(position: number): number {
  return position - (position % blockBytes);
}

/**
 * Holds callers to the port's alignment in every implementation, so that a mistake shows in a memory test too.
 *
 * That the memory itself begins on a page cannot be seen from here: only the kernel refuses an ordinary Buffer.
 */
export function assertAligned(position: number, bytes: Uint8Array): void {
  assert(Number.isSafeInteger(position) && position >= 0 && position % blockBytes === 0);
  assert(bytes.byteLength > 0 && bytes.byteLength % blockBytes === 0);
  assert(bytes.byteOffset % blockBytes === 0);
}
