import { blockBytes } from "../io/file.ts";
import { frameHeaderBytes } from "./frame.ts";

/** What is known of the journal's space when a record asks for some. */
export interface JournalSpace {
  /** Bytes behind the last frame in the current file. */
  readonly currentBytes: number;
  /** Files that are or can be made available. */
  readonly nextFileCount: number;
  readonly fileBytes: number;
  /** Bytes of a file's first frame, which repeats terms, votes and floors. */
  readonly stateBytes: number;
  /** The largest frame that waits, or may come to wait, for its place. */
  readonly frameBytesMax: number;
}

/**
 * Bytes of frames that find room in any case.
 *
 * A frame that does not fit leaves the rest of its file unused, so that each file is sure to take only what
 * remains when one largest frame less than fills it.
 */
export function sureRoomBytes(space: JournalSpace): number {
  const { currentBytes, nextFileCount, fileBytes, stateBytes, frameBytesMax } = space;
  const perFile = Math.max(0, fileBytes - stateBytes - frameBytesMax);
  return Math.max(0, currentBytes - frameBytesMax) + nextFileCount * perFile;
}

/** Most bytes that records of `sizeBytes` in all can take on disk: any two frames in a row are more than one full. */
export function framedBytesMax(sizeBytes: number, frameBytes: number): number {
  const frames = 1 + Math.ceil((2 * sizeBytes) / frameBytes);
  return sizeBytes + frames * (frameHeaderBytes + blockBytes);
}
