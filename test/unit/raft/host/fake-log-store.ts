import type { Entry, HardState } from "#raft/core/entry.ts";
import { LogFullError, type LogStore, type ReadRange } from "#raft/host/log-store.ts";

/** A log in memory with as much room as a test gives it; flushes complete when the test says so. */
export class FakeLogStore implements LogStore {
  /** What was staged, as text, in order; a flush ends with "flushed". */
  readonly calls: string[] = [];
  readonly durable = new Map<number, Entry[]>();
  /** Payload bytes that still fit. */
  roomBytes = Number.POSITIVE_INFINITY;
  /** Most payload bytes that one call may bring. */
  callBytesMax = Number.POSITIVE_INFINITY;
  readonly #staged: { group: number; entry: Entry }[] = [];
  #flushing: { resolve: () => void; reject: (error: Error) => void } | undefined;
  isManual = false;

  append(group: number, entries: readonly Entry[]): void {
    const bytes = entries.reduce((sum, { payload }) => sum + payload.length, 0);
    if (bytes > this.roomBytes || bytes > this.callBytesMax) throw new LogFullError();
    this.roomBytes -= bytes;
    for (const entry of entries) this.#staged.push({ group, entry });
    if (entries.length > 0) {
      this.calls.push(
        `append ${group}: ${entries.map(({ index, term, kind }) => `${kind} ${index}/${term}`).join(", ")}`,
      );
    }
  }

  setHardState(group: number, { term, votedFor }: HardState): void {
    this.calls.push(`state ${group}: term ${term}, vote ${votedFor}`);
  }

  advanceFloor(group: number, { index }: { index: number; term: number }): void {
    this.calls.push(`floor ${group}: ${index}`);
  }

  forget(group: number): void {
    this.calls.push(`forget ${group}`);
  }

  /** Reads what is durable, or was given. */
  async read(group: number, { firstIndex, lastIndex }: ReadRange): Promise<readonly Entry[]> {
    return (this.durable.get(group) ?? []).filter(({ index }) => index >= firstIndex && index <= lastIndex);
  }

  async flush(): Promise<void> {
    if (this.#flushing) throw new Error("flush was called before the last one settled");
    const staged = this.#staged.splice(0);
    if (this.isManual) {
      await new Promise<void>((resolve, reject) => {
        this.#flushing = { resolve, reject };
      });
    }
    for (const { group, entry } of staged) {
      this.durable.set(group, [...(this.durable.get(group) ?? []), entry]);
    }
    this.calls.push("flushed");
  }

  get isFlushing(): boolean {
    return this.#flushing !== undefined;
  }

  completeFlush(): void {
    this.#flushing?.resolve();
    this.#flushing = undefined;
  }

  failFlush(error: Error): void {
    this.#flushing?.reject(error);
    this.#flushing = undefined;
  }
}
