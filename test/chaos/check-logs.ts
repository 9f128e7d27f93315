import { type History, nameOf, recordOf } from "./history.ts";

/** Values of a partition as one replica has them, by offset. */
export type ReplicaLog = ReadonlyMap<number, string>;

const noLog: ReplicaLog = new Map();

/**
 * Judges what the replicas of a partition hold when all is over, each a prefix of the longest: all agree, every
 * acknowledged record is where it was acknowledged, no record is there twice, and each key's numbers ascend.
 */
export function checkPartition(
  history: History,
  partition: number,
  replicas: ReadonlyMap<number, ReplicaLog>,
): void {
  const longest = [...replicas.values()].reduce((a, b) => (b.size > a.size ? b : a), noLog);
  for (let offset = 0; offset < longest.size; offset++) {
    if (!longest.has(offset)) history.violate(`partition ${partition} has no offset ${offset}`);
  }
  for (const [nodeId, log] of replicas) {
    for (const [offset, value] of log) {
      const name = nameOf(recordOf(value));
      history.see({ partition, offset }, name, `on node ${nodeId}`);
    }
  }
  checkAcknowledged(history, partition, longest);
  checkKeys(history, partition, longest);
}

function checkAcknowledged(history: History, partition: number, log: ReplicaLog): void {
  const names = new Set(Array.from(log.values(), (value) => nameOf(recordOf(value))));
  for (const [name, place] of history.acknowledged) {
    if (place.partition !== partition) continue;
    const { offset } = place;
    if (offset === null ? names.has(name) : log.has(offset)) continue;
    history.violate(`${name} is lost: acknowledged at ${partition}@${offset ?? "an unknown offset"}`);
  }
}

function checkKeys(history: History, partition: number, log: ReplicaLog): void {
  const seen = new Map<string, number>();
  const last = new Map<string, number>();
  for (const offset of [...log.keys()].toSorted((a, b) => a - b)) {
    const record = recordOf(log.get(offset) ?? "");
    const name = nameOf(record);
    const earlier = seen.get(name);
    if (earlier !== undefined) {
      history.violate(`${name} is twice in partition ${partition}: at ${earlier} and ${offset}`);
    }
    seen.set(name, offset);
    // One that its writer gave up may have been overtaken by the writer's next producer.
    if (history.unknown.has(name)) continue;
    const before = last.get(record.key) ?? -1;
    if (record.sequence < before) {
      history.violate(`${name} comes after ${record.key}:${before} in partition ${partition}, at ${offset}`);
    }
    last.set(record.key, record.sequence);
  }
}
