/**
 * A frame: what one write puts into the journal. It begins on a block and fills whole blocks; little-endian.
 *
 * | at | size | field                                                                   |
 * |----|------|-------------------------------------------------------------------------|
 * | 0  | u32  | CRC-32C of the body and then of bytes 4 to 43                           |
 * | 4  | u32  | magic "MRJ1"                                                            |
 * | 8  | u16  | version, 1                                                              |
 * | 10 | u16  | flags: 1 = state frame, the first of a file                             |
 * | 12 | u64  | journal id: random, so that no payload can pose as a frame              |
 * | 20 | u64  | file sequence: stale frames of a recycled file carry its former one     |
 * | 28 | u64  | frame sequence: dense over all files, so that a missing frame is seen   |
 * | 36 | u32  | body bytes                                                              |
 * | 40 | u32  | record count                                                            |
 * | 44 | …    | body: the records                                                       |
 * | …  | …    | zeros up to the next block                                              |
 */

import type { Checksum } from "./entry.ts";
import { readSafeInteger, writeSafeInteger } from "./record.ts";

/** Bytes in front of a frame's body. */
export const frameHeaderBytes = 44;

const magic = 0x314a524d;
const version = 1;
const stateFlag = 1;

export interface FrameHeader {
  readonly journalId: number;
  readonly fileSequence: number;
  readonly frameSequence: number;
  /** True for the first frame of a file, which tells all groups' terms, votes and floors. */
  readonly isState: boolean;
  readonly bodyBytes: number;
  readonly recordCount: number;
}

/** The frame was written by a version of the journal that this one cannot read. */
export class UnknownFrameVersionError extends Error {
  constructor(found: number) {
    super(`Cannot read the journal: frame version ${found}, known is ${version}`);
    this.name = "UnknownFrameVersionError";
  }
}

/**
 * Writes the header in front of a body that is in place, and the checksum over both. The body's share comes first
 * in it and is handed in, so that most of it can be computed before a frame is due.
 */
export function sealFrame(
  bytes: Uint8Array,
  view: DataView,
  { header, bodyChecksum, checksum }: { header: FrameHeader; bodyChecksum: number; checksum: Checksum },
): void {
  view.setUint32(4, magic, true);
  view.setUint16(8, version, true);
  view.setUint16(10, header.isState ? stateFlag : 0, true);
  writeSafeInteger(view, 12, header.journalId);
  writeSafeInteger(view, 20, header.fileSequence);
  writeSafeInteger(view, 28, header.frameSequence);
  view.setUint32(36, header.bodyBytes, true);
  view.setUint32(40, header.recordCount, true);
  view.setUint32(0, checksum(bytes.subarray(4, frameHeaderBytes), bodyChecksum), true);
}

/** Reads what may be a header: undefined without the magic. Nothing in it is to be believed before `isFrameIntact`. */
export function readFrameHeader(block: Uint8Array): FrameHeader | undefined {
  const view = new DataView(block.buffer, block.byteOffset, frameHeaderBytes);
  if (view.getUint32(4, true) !== magic) return undefined;
  // The upper halves of torn integers may be anything: such a header is no header.
  for (const at of [12, 20, 28]) if (view.getUint32(at + 4, true) >= 2 ** 21) return undefined;
  return {
    journalId: readSafeInteger(view, 12),
    fileSequence: readSafeInteger(view, 20),
    frameSequence: readSafeInteger(view, 28),
    isState: (view.getUint16(10, true) & stateFlag) !== 0,
    bodyBytes: view.getUint32(36, true),
    recordCount: view.getUint32(40, true),
  };
}

/** Whether the checksum holds; throws UnknownFrameVersionError for an intact frame of another version. */
export function isFrameIntact(bytes: Uint8Array, header: FrameHeader, checksum: Checksum): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, frameHeaderBytes);
  const body = bytes.subarray(frameHeaderBytes, frameHeaderBytes + header.bodyBytes);
  const found = checksum(bytes.subarray(4, frameHeaderBytes), checksum(body));
  if (found >>> 0 !== view.getUint32(0, true)) return false;
  if (view.getUint16(8, true) !== version) throw new UnknownFrameVersionError(view.getUint16(8, true));
  return true;
}
