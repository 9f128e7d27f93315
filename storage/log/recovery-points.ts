/**
 * How far the segments of all logs are known to be durable, in one small file, so that one write covers them all
 * before the journal lets go of its copies. With it, opening tells damage from a torn write without doubt.
 *
 * The file `recovery-points` is a snapshot of version 1 whose payload is JSON: `{ "<directory>": [id, offset] }`.
 */
import { type Checksum, readSnapshot, type SmallFileDisk, writeSnapshot } from "../snapshots/small-file.ts";

/** A log's durable end; it counts only for the topic id that it was written for. */
export interface RecoveryPoint {
  readonly topicId: string;
  readonly durableOffset: number;
}

const version = 1;

/** @throws DiskError */
export async function writeRecoveryPoints(
  disk: SmallFileDisk & { readonly checksum: Checksum },
  path: string,
  points: ReadonlyMap<string, RecoveryPoint>,
): Promise<void> {
  const json: Record<string, [string, number]> = {};
  for (const [name, { topicId, durableOffset }] of points) json[name] = [topicId, durableOffset];
  await writeSnapshot(disk, path, { version, payload: new TextEncoder().encode(JSON.stringify(json)) });
}

/** Empty when the file was never written. @throws SnapshotCorruptError, DiskError */
export async function readRecoveryPoints(
  disk: SmallFileDisk & { readonly checksum: Checksum },
  path: string,
): Promise<Map<string, RecoveryPoint>> {
  const points = new Map<string, RecoveryPoint>();
  const snapshot = await readSnapshot(disk, path);
  if (!snapshot) return points;
  const json = JSON.parse(new TextDecoder().decode(snapshot.payload)) as Record<string, [string, number]>;
  for (const [name, [topicId, durableOffset]] of Object.entries(json))
    points.set(name, { topicId, durableOffset });
  return points;
}
