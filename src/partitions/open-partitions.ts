import type { Partition } from "./partition.ts";

/** The partitions that are open on this node, by all that they are looked for by. */
export class OpenPartitions {
  /** By topic name, then partition index: the hot path. */
  readonly #byTopic = new Map<string, (Partition | undefined)[]>();
  readonly #byGroup = new Map<number, Partition>();
  /** Those that this node leads, as was told last. */
  readonly #led = new Set<Partition>();

  find(topic: string, index: number): Partition | undefined {
    return this.#byTopic.get(topic)?.[index];
  }

  /** The one that a replication group is for. */
  ofGroup(groupId: number): Partition | undefined {
    return this.#byGroup.get(groupId);
  }

  *all(): Generator<Partition> {
    for (const partitions of this.#byTopic.values()) {
      for (const partition of partitions) if (partition) yield partition;
    }
  }

  /** Those of each topic that has any. */
  *topics(): Generator<readonly [topic: string, partitions: readonly Partition[]]> {
    for (const [topic, partitions] of this.#byTopic) {
      yield [topic, partitions.filter((partition) => partition !== undefined)];
    }
  }

  /** Those that this node leads. */
  led(): Iterable<Partition> {
    return this.#led;
  }

  add(partition: Partition): void {
    const { topic, index, groupId } = partition;
    const partitions = this.#byTopic.get(topic) ?? [];
    partitions[index] = partition;
    this.#byTopic.set(topic, partitions);
    this.#byGroup.set(groupId, partition);
  }

  /** Answers whether it was among them. */
  remove(partition: Partition): boolean {
    const { topic, index, groupId } = partition;
    const partitions = this.#byTopic.get(topic);
    if (partitions?.[index] !== partition) return false;
    partitions[index] = undefined;
    if (partitions.every((other) => other === undefined)) this.#byTopic.delete(topic);
    if (this.#byGroup.get(groupId) === partition) this.#byGroup.delete(groupId);
    return true;
  }

  /** Notes whether this node leads it now; undefined where that was known, or it is not open. */
  noteLeadership(partition: Partition): "led" | "unled" | undefined {
    const { isLeader } = partition;
    if (isLeader === this.#led.has(partition)) return undefined;
    if (!isLeader) {
      this.#led.delete(partition);
      return "unled";
    }
    if (this.find(partition.topic, partition.index) !== partition) return undefined;
    this.#led.add(partition);
    return "led";
  }
}
