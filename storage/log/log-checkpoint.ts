/**
 * What a log knows of itself on disk, so that opening it reads a few blocks instead of its segments.
 *
 * The file `checkpoint` is a snapshot (see `snapshots/small-file.ts`) of version 1 whose payload is JSON:
 * every sealed segment, how far the open one was durable, the leader epochs, the start of the log and how far it
 * was compacted. What the
 * directory holds beyond it was written later; what it names was durable before the checkpoint was.
 */
import { encodeSnapshot, readSnapshot, replaceFileUnsynced } from "../snapshots/small-file.ts";
import type { EpochStart } from "./epoch-index.ts";
import type { LogDisk } from "./log-disk.ts";
import { LogCorruptError } from "./log-error.ts";
import type { SegmentFacts } from "./segment.ts";

/** A log's durable facts at one moment. */
export interface LogCheckpoint {
  readonly startOffset: number;
  /** Everything below was durable in the segments. */
  readonly nextOffset: number;
  readonly sealed: readonly SegmentFacts[];
  /** The open segment as far as it was written; absent when nothing came after the last sealed one. */
  readonly open: SegmentFacts | null;
  readonly epochs: readonly EpochStart[];
  /** Compaction came up to here; 0 for a log that never was compacted. */
  readonly cleanedOffset: number;
  /** Names of segment files that this checkpoint's segments replace: whoever finds them removes them. */
  readonly replaced: readonly string[];
}

const checkpointVersion = 1;

export function checkpointPath(directory: string): string {
  return `${directory}/checkpoint`;
}

/** Replaces a log's checkpoint, durably after the directory's next sync. @throws DiskError */
export async function writeCheckpointUnsynced(
  disk: LogDisk,
  directory: string,
  checkpoint: LogCheckpoint,
): Promise<void> {
  const payload = new TextEncoder().encode(JSON.stringify(checkpoint));
  const contents = encodeSnapshot(disk, { version: checkpointVersion, payload });
  await replaceFileUnsynced(disk, checkpointPath(directory), contents);
}

/** A log's checkpoint; undefined when it never wrote one. @throws LogCorruptError, DiskError */
export async function readCheckpoint(disk: LogDisk, directory: string): Promise<LogCheckpoint | undefined> {
  const path = checkpointPath(directory);
  try {
    const snapshot = await readSnapshot(disk, path);
    if (!snapshot) return undefined;
    return complete(JSON.parse(new TextDecoder().decode(snapshot.payload)));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "SnapshotCorruptError") throw error;
    throw new LogCorruptError(error.message, { path, position: 0 }, { cause: error });
  }
}

/** Checkpoints from before compaction lack its facts. */
function complete(stored: LogCheckpoint): LogCheckpoint {
  const withGeneration = (facts: SegmentFacts): SegmentFacts => ({
    ...facts,
    generation: facts.generation ?? 0,
  });
  return {
    ...stored,
    sealed: stored.sealed.map(withGeneration),
    open: stored.open && withGeneration(stored.open),
    cleanedOffset: stored.cleanedOffset ?? 0,
    replaced: stored.replaced ?? [],
  };
}
