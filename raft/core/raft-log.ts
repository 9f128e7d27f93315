import { strict as assert } from "node:assert";
import type { Entry } from "./entry.ts";
import type { Floor } from "./ready.ts";
import { TermRuns } from "./term-runs.ts";
import { Window } from "./window.ts";

/** An entry as the disk kept it; payloads other than a configuration's stay there until they are asked for. */
export type StoredEntry = Omit<Entry, "payload"> & { readonly payload?: Uint8Array };

/** What a log starts from. */
export interface RaftLogOptions {
  readonly floor: Floor;
  /** Where the state machine's data ends at the floor; entries know it better where there are some. */
  readonly nextOffset: number;
  /** Durable entries behind the floor. */
  readonly entries: readonly StoredEntry[];
  /** Payload bytes of applied entries that stay in memory for followers that lag a little. */
  readonly recentBytesMax: number;
}

/**
 * A group's entries, durable or not, committed or not.
 *
 * Of every entry above the floor it knows term and offsets; payloads are in memory only for the newest.
 *
 * Invariants: floor ≤ applied ≤ handed ≤ min(committed, persisted) and persisted ≤ staged ≤ last; entries up to
 * the commit index are never truncated.
 */
export class RaftLog {
  readonly #recentBytesMax: number;
  #floor: Floor;
  #floorNextOffset: number;
  readonly #terms = new TermRuns();
  /** Next offset behind each entry above the floor. */
  #nextOffsets: Window<number>;
  /** Entries with payload; ends at the last one. */
  #recent: Window<Entry>;
  #recentBytes = 0;
  #lastIndex: number;
  #lastTerm: number;
  #stagedIndex: number;
  #persistedIndex: number;
  #commitIndex: number;
  #handedIndex: number;
  #appliedIndex: number;
  #truncations = 0;

  constructor({ floor, nextOffset, entries, recentBytesMax }: RaftLogOptions) {
    this.#recentBytesMax = recentBytesMax;
    this.#floor = floor;
    this.#floorNextOffset = entries[0]?.baseOffset ?? nextOffset;
    this.#lastIndex = floor.index;
    this.#lastTerm = floor.term;
    this.#nextOffsets = new Window(floor.index + 1);
    for (const entry of entries) this.#note(entry);
    this.#recent = new Window(this.#lastIndex + 1);
    this.#stagedIndex = this.#lastIndex;
    this.#persistedIndex = this.#lastIndex;
    this.#commitIndex = floor.index;
    this.#handedIndex = floor.index;
    this.#appliedIndex = floor.index;
  }

  get floor(): Floor {
    return this.#floor;
  }

  get lastIndex(): number {
    return this.#lastIndex;
  }

  get lastTerm(): number {
    return this.#lastTerm;
  }

  /** The offset that the next data entry gets. */
  get nextOffset(): number {
    return this.#nextOffsets.at(this.#lastIndex) ?? this.#floorNextOffset;
  }

  get commitIndex(): number {
    return this.#commitIndex;
  }

  get persistedIndex(): number {
    return this.#persistedIndex;
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  /** How often entries were taken away again. */
  get truncations(): number {
    return this.#truncations;
  }

  /** Term of the entry at `index`; undefined below the floor and behind the end. */
  termAt(index: number): number | undefined {
    if (index === this.#lastIndex) return this.#lastTerm;
    if (index < this.#floor.index || index > this.#lastIndex) return undefined;
    return index === this.#floor.index ? this.#floor.term : this.#terms.termAt(index);
  }

  /** The offset behind the entry at `index`, which is not below the floor. */
  nextOffsetAt(index: number): number {
    const nextOffset = index === this.#floor.index ? this.#floorNextOffset : this.#nextOffsets.at(index);
    assert(nextOffset !== undefined);
    return nextOffset;
  }

  matches(index: number, term: number): boolean {
    return this.termAt(index) === term;
  }

  /** Whether a log that ends with (index, term) lacks nothing that this one may have committed (Raft thesis, 3.6.1). */
  isUpToDate(index: number, term: number): boolean {
    return term > this.#lastTerm || (term === this.#lastTerm && index >= this.#lastIndex);
  }

  /**
   * The last index up to `index` whose term is at most `term`: nothing behind it can match a log that has `term`
   * at `index`. Skips a whole term per answer instead of an entry.
   */
  lastIndexWithTermUpTo(index: number, term: number): number {
    let candidate = Math.min(index, this.#lastIndex);
    while (candidate > this.#floor.index && this.#terms.termAt(candidate) > term) {
      candidate = this.#terms.firstIndexOfRun(candidate) - 1;
    }
    return candidate;
  }

  /** Puts an entry behind all others. */
  push(entry: Entry): void {
    this.#note(entry);
    this.#recent.push(entry);
    this.#recentBytes += entry.payload.length;
  }

  /** Takes entries away from `index` on: a leader of a later term has others there. */
  truncateFrom(index: number): void {
    assert(index > this.#commitIndex);
    assert(index <= this.#lastIndex);
    this.#truncations += 1;
    for (let i = Math.max(index, this.#recent.firstIndex); i <= this.#lastIndex; i++) {
      this.#recentBytes -= this.#recent.at(i)?.payload.length ?? 0;
    }
    if (index >= this.#recent.firstIndex) this.#recent.truncateFrom(index);
    else this.#recent = new Window(index);
    this.#nextOffsets.truncateFrom(index);
    this.#terms.truncateFrom(index);
    this.#lastTerm = this.#termBehindTruncation(index - 1);
    this.#lastIndex = index - 1;
    this.#stagedIndex = Math.min(this.#stagedIndex, index - 1);
    this.#persistedIndex = Math.min(this.#persistedIndex, index - 1);
  }

  commitTo(index: number): void {
    assert(index <= this.#lastIndex);
    this.#commitIndex = Math.max(this.#commitIndex, index);
  }

  get hasUnstaged(): boolean {
    return this.#stagedIndex < this.#lastIndex;
  }

  /** The first entries that no write has taken yet, as `recentEntries`; they are on their way to the disk now. */
  stage(bytesMax = Infinity): readonly Entry[] {
    if (!this.hasUnstaged) return none;
    const entries = this.recentEntries({ start: this.#stagedIndex + 1, last: this.#lastIndex, bytesMax });
    this.#stagedIndex += entries.length;
    return entries;
  }

  /** Entries up to `index` are durable; what a truncation took away since has been counted off by the caller. */
  persistedTo(index: number): void {
    assert(index <= this.#stagedIndex);
    this.#persistedIndex = Math.max(this.#persistedIndex, index);
  }

  /** The last entry that may be applied: committed, and durable here, so that nothing is applied that a restart misses. */
  get applicableIndex(): number {
    return Math.min(this.#commitIndex, this.#persistedIndex);
  }

  /** The next entry to hand out for applying. */
  get nextToHand(): number {
    return this.#handedIndex + 1;
  }

  /** Entries up to `index` were handed out. */
  handedTo(index: number): void {
    assert(index >= this.#handedIndex && index <= this.applicableIndex);
    this.#handedIndex = index;
  }

  /** The host has applied entries up to `index`. */
  appliedTo(index: number): void {
    assert(index >= this.#appliedIndex && index <= this.#handedIndex);
    this.#appliedIndex = index;
    this.trim(this.#recentBytesMax);
  }

  /** Payload bytes in memory. */
  get recentBytes(): number {
    return this.#recentBytes;
  }

  /** Lets payloads of applied entries go, the oldest first, until at most `bytesMax` are in memory. */
  trim(bytesMax: number): void {
    while (this.#recentBytes > bytesMax && this.#recent.firstIndex <= this.#appliedIndex)
      this.#forgetOldest();
  }

  /** The first entry whose payload is in memory; one behind the last where none is. */
  get firstInMemory(): number {
    return this.#recent.firstIndex;
  }

  /** Entries from `start` to at most `last`, as many as fit into `bytesMax`, one in any case; all are in memory. */
  recentEntries({
    start,
    last,
    bytesMax,
  }: {
    start: number;
    last: number;
    bytesMax: number;
  }): readonly Entry[] {
    if (start > last) return none;
    let end = start;
    let bytes = 0;
    while (end <= last) {
      bytes += this.#recent.at(end)?.payload.length ?? 0;
      if (bytes > bytesMax && end > start) break;
      end += 1;
    }
    return this.#recent.slice(start, end);
  }

  /** Entries up to the last one whose data ends at or below `offset` are durable elsewhere; the new floor where it moved. */
  releaseThroughOffset(offset: number): Floor | undefined {
    let index = this.#floor.index;
    while (index < this.#appliedIndex && (this.#nextOffsets.at(index + 1) ?? Infinity) <= offset) index += 1;
    return this.releaseThroughIndex(index);
  }

  /** Entries up to `index`, as far as applied, are durable elsewhere; the new floor where it moved. */
  releaseThroughIndex(index: number): Floor | undefined {
    const last = Math.min(index, this.#appliedIndex);
    if (last <= this.#floor.index) return undefined;
    this.#floorNextOffset = this.nextOffsetAt(last);
    this.#floor = { index: last, term: this.termAt(last) ?? 0 };
    this.#nextOffsets.releaseThrough(last);
    this.#terms.releaseThrough(last);
    while (this.#recent.firstIndex <= Math.min(last, this.#recent.endIndex - 1)) this.#forgetOldest();
    return this.#floor;
  }

  /** The state machine was replaced by one that stands at `floor`: the log begins anew behind it. */
  restart(floor: Floor, nextOffset: number): void {
    assert(floor.index > this.#commitIndex);
    this.#truncations += 1;
    this.#floor = floor;
    this.#floorNextOffset = nextOffset;
    this.#terms.truncateFrom(0);
    this.#nextOffsets = new Window(floor.index + 1);
    this.#recent = new Window(floor.index + 1);
    this.#recentBytes = 0;
    this.#lastIndex = floor.index;
    this.#lastTerm = floor.term;
    this.#stagedIndex = floor.index;
    this.#persistedIndex = floor.index;
    this.#commitIndex = floor.index;
    this.#handedIndex = floor.index;
    this.#appliedIndex = floor.index;
  }

  #note(entry: StoredEntry): void {
    assert(entry.index === this.#lastIndex + 1);
    assert(entry.term >= this.#lastTerm);
    assert(entry.baseOffset === this.nextOffset);
    const nextOffset = entry.baseOffset + entry.offsetCount;
    assert(Number.isSafeInteger(nextOffset));
    this.#nextOffsets.push(nextOffset);
    this.#terms.push(entry.index, entry.term);
    this.#lastIndex = entry.index;
    this.#lastTerm = entry.term;
  }

  #termBehindTruncation(index: number): number {
    return index === this.#floor.index ? this.#floor.term : this.#terms.termAt(index);
  }

  #forgetOldest(): void {
    const index = this.#recent.firstIndex;
    this.#recentBytes -= this.#recent.at(index)?.payload.length ?? 0;
    this.#recent.releaseThrough(index);
  }
}

const none: readonly Entry[] = [];
