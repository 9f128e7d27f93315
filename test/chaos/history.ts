/** A record that a writer numbers within its key. */
export interface WrittenRecord {
  readonly key: string;
  readonly sequence: number;
}

/** Where a record was acknowledged, or read. */
export interface Place {
  readonly partition: number;
  readonly offset: number;
}

export interface AcknowledgedPlace {
  readonly partition: number;
  readonly offset: number | null;
}

const violationsMax = 50;
const toldSilenceMs = 2_500;

/** The value of a record: what it is, then bytes to make it as large as wanted. */
export function paddedValue({ key, sequence }: WrittenRecord, sizeBytes: number): string {
  return `${key}:${sequence}|`.padEnd(sizeBytes, "x");
}

/** What a value says that it is. */
export function recordOf(value: string): WrittenRecord {
  const [name = ""] = value.split("|", 1);
  const at = name.lastIndexOf(":");
  return { key: name.slice(0, at), sequence: Number(name.slice(at + 1)) };
}

export const nameOf = ({ key, sequence }: WrittenRecord): string => `${key}:${sequence}`;
const placeName = ({ partition, offset }: Place): string => `${partition}@${offset}`;

/** What clients have seen, and what of it cannot be. */
export class History {
  /** Names of acknowledged records and where they are. */
  readonly acknowledged = new Map<string, AcknowledgedPlace>();
  /** Records of which the client does not know whether they were written. */
  readonly unknown = new Set<string>();
  /** How many records were given up, by the reason. */
  readonly givenUp = new Map<string, number>();
  readonly violations: string[] = [];
  /** -Infinity before the first acknowledgement. */
  lastAcknowledgedMs = Number.NEGATIVE_INFINITY;
  /** The longest time without any acknowledgement. */
  longestSilenceMs = 0;
  readonly #values = new Map<string, string>();
  /** What each group has read, by partition. */
  readonly #consumed = new Map<string, Map<number, Set<number>>>();
  /** By group and partition: committed at the least. */
  readonly #committed = new Map<string, number>();
  readonly #onSilence: (silentMs: number) => void;
  #consumedCount = 0;
  #commitCount = 0;

  /** `onSilence` is told when a long time without acknowledgements is over. */
  constructor(onSilence: (silentMs: number) => void = () => undefined) {
    this.#onSilence = onSilence;
  }

  get consumedCount(): number {
    return this.#consumedCount;
  }

  get commitCount(): number {
    return this.#commitCount;
  }

  /** Something is as it must not be. */
  violate(text: string): void {
    if (this.violations.length < violationsMax) this.violations.push(text);
  }

  /** The client's offset is null where it knows of the record by what it sent later: it must be in the partition. */
  acknowledge(record: WrittenRecord, place: AcknowledgedPlace): void {
    const name = nameOf(record);
    const nowMs = performance.now();
    const isFirst = this.acknowledged.size === 0;
    const silentMs = isFirst ? 0 : nowMs - this.lastAcknowledgedMs;
    this.longestSilenceMs = Math.max(this.longestSilenceMs, silentMs);
    if (silentMs > toldSilenceMs) this.#onSilence(silentMs);
    this.lastAcknowledgedMs = nowMs;
    if (this.acknowledged.has(name)) this.violate(`${name} was acknowledged twice`);
    this.acknowledged.set(name, place);
    const { partition, offset } = place;
    if (offset !== null) this.#see({ partition, offset }, name, "acknowledged");
  }

  /** A client does not try any longer, and does not know what became of the record; `reason` in its own words. */
  giveUp(record: WrittenRecord, reason: string): void {
    this.unknown.add(nameOf(record));
    this.givenUp.set(reason, (this.givenUp.get(reason) ?? 0) + 1);
  }

  consume(group: string, place: Place, value: string): void {
    this.#consumedCount += 1;
    this.#see(place, nameOf(recordOf(value)), `read by ${group}`);
    const partitions = this.#consumed.get(group) ?? new Map<number, Set<number>>();
    this.#consumed.set(group, partitions);
    const offsets = partitions.get(place.partition) ?? new Set();
    partitions.set(place.partition, offsets);
    offsets.add(place.offset);
  }

  /** Offsets below `endOffset` that no member of the group has read. */
  missing(group: string, partition: number, endOffset: number): number[] {
    const offsets = this.#consumed.get(group)?.get(partition);
    return Array.from({ length: endOffset }, (_, offset) => offset).filter((offset) => !offsets?.has(offset));
  }

  /** How many different offsets of a partition a group has read. */
  progress(group: string, partition: number): number {
    return this.#consumed.get(group)?.get(partition)?.size ?? 0;
  }

  /** A commit was acknowledged, or seen to be there. */
  commit(group: string, { partition, offset }: Place): void {
    this.#commitCount += 1;
    const key = `${group}/${partition}`;
    this.#committed.set(key, Math.max(offset, this.#committed.get(key) ?? -1));
  }

  /** What a read of committed offsets that begins now must answer at the least; -1 for nothing. */
  committedAtLeast(group: string, partition: number): number {
    return this.#committed.get(`${group}/${partition}`) ?? -1;
  }

  /** Judges what a read of a committed offset answered. */
  readCommitted(group: string, { partition, offset }: Place, atLeast: number): void {
    if (offset < atLeast) {
      this.violate(`${group} had committed ${atLeast} of partition ${partition}, then ${offset}`);
    } else if (offset >= 0) {
      this.commit(group, { partition, offset });
    }
  }

  /** A place holds one record for all who look, for ever. */
  see(place: Place, name: string, how: string): void {
    this.#see(place, name, how);
  }

  #see(place: Place, name: string, how: string): void {
    const at = placeName(place);
    const known = this.#values.get(at);
    if (known === undefined) this.#values.set(at, name);
    else if (known !== name) this.violate(`${at} held ${known} and then ${name}, ${how}`);
  }
}
