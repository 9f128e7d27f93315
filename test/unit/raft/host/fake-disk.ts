import type { Configuration } from "#raft/core/configuration.ts";
import type { Entry, HardState } from "#raft/core/entry.ts";
import { type FloorPoint, LogFullError, type LogStore, type ReadRange } from "#raft/host/log-store.ts";

interface StoredLog {
  hardState: HardState;
  floor: { index: number; term: number };
  floorNextOffset: number;
  configuration: Configuration | undefined;
  rejoinTerm?: number | undefined;
  entries: Entry[];
}

/** A log in memory that a crash takes back to the last flush, and from which a host can start anew. */
export class FakeDisk implements LogStore {
  readonly #durable = new Map<number, StoredLog>();
  /** What is released is not read again, durable or not. */
  readonly #released = new Map<number, number>();
  #staged: (() => void)[] = [];
  #epoch = 0;
  flushCount = 0;
  isFull = false;
  /** Whether there is room for data; a leader's first entry and the like always find some unless it `isFull`. */
  takesData = true;

  append(group: number, entries: readonly Entry[]): void {
    const isRefused = !this.takesData && entries.some(({ kind }) => kind === "data");
    if (this.isFull || isRefused) throw new LogFullError();
    for (const entry of entries) {
      this.#staged.push(() => {
        const log = this.#log(group);
        const kept = log.entries.filter(({ index }) => index < entry.index);
        const lastIndex = kept.at(-1)?.index ?? log.floor.index;
        if (entry.index > lastIndex + 1) throw new Error(`A hole in group ${group} before ${entry.index}`);
        if (entry.index > log.floor.index) log.entries = [...kept, entry];
      });
    }
  }

  setHardState(group: number, hardState: HardState): void {
    this.#staged.push(() => {
      this.#log(group).hardState = hardState;
    });
  }

  advanceFloor(group: number, { index, term, nextOffset, configuration, rejoinTerm }: FloorPoint): void {
    this.#released.set(group, index);
    this.#staged.push(() => {
      const log = this.#log(group);
      const own = log.entries.find((entry) => entry.index === index);
      log.entries = own && own.term !== term ? [] : log.entries.filter((entry) => entry.index > index);
      Object.assign(log, { floor: { index, term }, floorNextOffset: nextOffset, configuration, rejoinTerm });
    });
  }

  forget(group: number): void {
    this.#released.delete(group);
    this.#staged.push(() => this.#durable.delete(group));
  }

  async flush(): Promise<void> {
    const staged = this.#staged;
    this.#staged = [];
    const epoch = this.#epoch;
    this.flushCount += 1;
    await Promise.resolve();
    if (epoch === this.#epoch) for (const make of staged) make();
  }

  async read(group: number, { firstIndex, lastIndex, bytesMax }: ReadRange): Promise<readonly Entry[]> {
    const read: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#log(group).entries) {
      if (entry.index < firstIndex || entry.index > lastIndex) continue;
      if (entry.index <= (this.#released.get(group) ?? 0)) continue;
      bytes += entry.payload.length;
      if (bytes > bytesMax && read.length > 0) break;
      read.push(entry);
    }
    return read[0]?.index === firstIndex ? read : [];
  }

  /** What a start finds; payloads stay on the disk. */
  stored(group: number) {
    const log = this.#durable.get(group);
    if (!log) return undefined;
    const { hardState, floor, floorNextOffset, configuration, rejoinTerm } = log;
    const entries = log.entries.map(({ payload: _, ...entry }) => entry);
    return {
      ...{ hardState, floor, floorNextOffset, entries },
      ...(configuration && { configuration }),
      ...(rejoinTerm && { rejoinTerm }),
    };
  }

  crash(): void {
    this.#epoch += 1;
    this.#staged = [];
    this.#released.clear();
  }

  #log(group: number): StoredLog {
    let log = this.#durable.get(group);
    if (!log) {
      log = {
        hardState: { term: 0, votedFor: -1 },
        floor: { index: 0, term: 0 },
        floorNextOffset: 0,
        configuration: undefined,
        entries: [],
      };
      this.#durable.set(group, log);
    }
    return log;
  }
}
