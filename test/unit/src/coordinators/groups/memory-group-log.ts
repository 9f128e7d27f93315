import {
  type GroupLog,
  GroupLogError,
  type GroupLogErrorCode,
  type GroupRecord,
} from "#src/coordinators/groups/group-log.ts";

interface Waiting {
  readonly commit: () => void;
  readonly fail: (error: GroupLogError) => void;
}

/** A log in memory whose appends a test can hold back or fail. */
export class MemoryGroupLog implements GroupLog {
  readonly partitionCount: number;
  readonly records: { partition: number; timestampMs: number; record: GroupRecord }[] = [];
  appendCount = 0;
  isHolding = false;
  failure: GroupLogErrorCode | null = null;
  /** Whether another coordinator may have taken over, and whether asking finds that it has not. */
  isInDoubt = false;
  isConfirmable = true;
  confirmCount = 0;
  /** Runs between the last record and the end of a load. */
  onLoad: () => Promise<void> = () => Promise.resolve();
  readonly #waiting: Waiting[] = [];

  constructor(partitionCount = 1) {
    this.partitionCount = partitionCount;
  }

  isCertain(): boolean {
    return !this.isInDoubt;
  }

  async confirm(): Promise<void> {
    this.confirmCount++;
    this.isInDoubt = !this.isConfirmable;
  }

  append(partition: number, records: readonly GroupRecord[], nowMs: number): Promise<void> {
    this.appendCount++;
    const { failure } = this;
    if (failure) return Promise.reject(new GroupLogError(failure, "Cannot append: told to fail"));
    return new Promise((resolve, fail) => {
      const commit = (): void => {
        for (const record of records) this.records.push({ partition, timestampMs: nowMs, record });
        resolve();
      };
      if (this.isHolding) this.#waiting.push({ commit, fail });
      else commit();
    });
  }

  /** Settles what was held back, in order, and holds no longer. */
  release(failure: GroupLogErrorCode | null = null): void {
    this.isHolding = false;
    for (const { commit, fail } of this.#waiting.splice(0)) {
      if (failure) fail(new GroupLogError(failure, "Cannot append: told to fail"));
      else commit();
    }
  }

  async load(
    partition: number,
    onRecord: (key: Uint8Array, value: Uint8Array | null, timestampMs: number) => void,
  ): Promise<void> {
    for (const { partition: owner, timestampMs, record } of this.records) {
      if (owner !== partition) continue;
      // Views of a buffer that is used again, as real reads give.
      const key = new Uint8Array(record.key);
      const value = record.value && new Uint8Array(record.value);
      onRecord(key, value, timestampMs);
      key.fill(0xff);
      value?.fill(0xff);
    }
    await this.onLoad();
  }
}
