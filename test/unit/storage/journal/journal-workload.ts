import { crc32c } from "@node-rs/crc32";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import { DiskError, type FileSystem } from "#storage/io/file.ts";
import type { JournalEntry } from "#storage/journal/entry.ts";
import { Journal, type JournalOptions, type OpenedJournal } from "#storage/journal/journal.ts";
import { seededRandom } from "../seeded-random.ts";
import { describeRecovered, JournalModel, type ModelRecord, payloadOf } from "./journal-model.ts";

/** Shared by all tests of a file: memory that a crashed journal never gave back does not matter at this size. */
export const testArena = new BufferArena({ bytesMax: 3 * 1024 * 1024 * 1024 });

/** Opens a journal of small files, in which every limit is near. */
export function openSmall(files: FileSystem, options: Partial<JournalOptions> = {}): Promise<OpenedJournal> {
  return Journal.open({
    files,
    directory: "/data/journal",
    arena: testArena,
    checksum: (bytes, seed) => crc32c(bytes, seed),
    random: seededRandom(7),
    fileBytes: 65_536,
    filesMax: 8,
    ...options,
  });
}

/**
 * Random work on one journal, which remembers in staging order what was asked and how much of it was acknowledged.
 */
export class JournalWorkload {
  readonly staged: ModelRecord[] = [];
  /** Staged records that a resolved flush covered. */
  acknowledged = 0;
  /** Appends that the journal refused for want of room. */
  refusals = 0;
  readonly #model = new JournalModel();
  readonly #random: () => number;
  readonly #journal: Journal;
  #payloads = 0;
  #term = 1;

  constructor(journal: Journal, { random, past }: { random: () => number; past: readonly ModelRecord[] }) {
    this.#journal = journal;
    this.#random = random;
    for (const record of past) this.#remember(record);
    this.acknowledged = this.staged.length;
    this.#payloads = past.length * 10;
    this.#term = past.length + 1;
  }

  /** Stages and flushes; rejects when the disk fails. */
  async run(flushes: number): Promise<void> {
    for (let round = 0; round < flushes; round++) {
      this.#stageSome();
      const covered = this.staged.length;
      const flushing = this.#journal.flush();
      // Staging throws first when the disk has failed.
      flushing.catch(() => {});
      // What is staged while a flush is under way belongs to the next one.
      if (this.#random() < 0.5) this.#stageSome();
      await flushing;
      this.acknowledged = covered;
    }
  }

  #stageSome(): void {
    const count = 1 + this.#pick(4);
    for (let i = 0; i < count; i++) this.#stageOne();
    if (!this.#journal.isUnderPressure) return;
    for (const group of this.#journal.oldestGroups()) this.#raiseFloor(group, "last");
  }

  #stageOne(): void {
    const group = this.#pick(3);
    const roll = this.#random();
    if (roll < 0.7) this.#append(group);
    else if (roll < 0.8) {
      this.#term++;
      const state = { term: this.#term, votedFor: this.#pick(4) - 1 };
      this.#journal.setHardState(group, state);
      this.#remember({ kind: "hardState", group, state });
    } else if (roll < 0.98) this.#raiseFloor(group);
    else {
      this.#journal.forget(group);
      this.#remember({ kind: "forget", group });
    }
  }

  #append(group: number): void {
    const { floor } = this.#model.group(group);
    const last = this.#model.lastIndex(group);
    const isTruncating = this.#random() < 0.15;
    const first = isTruncating ? Math.max(floor.index + 1, last - this.#pick(4)) : last + 1;
    if (isTruncating) this.#term++;
    const entries: JournalEntry[] = [];
    const end = first + 1 + this.#pick(3);
    for (let index = first; index < end; index++) {
      const payload = payloadOf(++this.#payloads, this.#pick(this.#random() < 0.1 ? 28_000 : 3000));
      const kind = payload.byteLength > 100 ? "data" : "command";
      entries.push({ index, term: this.#term, kind, baseOffset: index * 10, offsetCount: 10, payload });
    }
    try {
      this.#journal.append(group, entries);
    } catch (error) {
      if (!(error instanceof DiskError) || error.code !== "full") throw error;
      this.refusals++;
      return;
    }
    for (const entry of entries) this.#remember({ kind: "entry", group, entry });
  }

  #raiseFloor(group: number, to: "any" | "last" = "any"): void {
    const { floor, entries } = this.#model.group(group);
    const entry = (to === "any" && entries[this.#pick(entries.length)]) || entries.at(-1);
    if (!entry || entry.index <= floor.index) return;
    const raised = { index: entry.index, term: entry.term };
    this.#journal.advanceFloor(group, raised);
    this.#remember({ kind: "floor", group, floor: raised });
  }

  #remember(record: ModelRecord): void {
    this.staged.push(record);
    this.#model.apply(record);
  }

  #pick(below: number): number {
    return Math.floor(this.#random() * below);
  }
}

/**
 * Finds how many of the staged records a reopened journal holds: all acknowledged ones and any first part of the
 * others. Undefined when it holds anything else.
 */
export async function survivingRecords(
  { journal, groups }: OpenedJournal,
  workload: JournalWorkload,
): Promise<ModelRecord[] | undefined> {
  const found = await describeRecovered(journal, groups);
  const model = new JournalModel();
  for (const record of workload.staged.slice(0, workload.acknowledged)) model.apply(record);
  for (let count = workload.acknowledged; ; count++) {
    if (model.describe() === found) return workload.staged.slice(0, count);
    const next = workload.staged[count];
    if (!next) return undefined;
    model.apply(next);
  }
}
