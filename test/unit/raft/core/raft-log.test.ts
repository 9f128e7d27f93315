import { expect, test } from "vitest";
import type { Entry } from "#raft/core/entry.ts";
import { RaftLog } from "#raft/core/raft-log.ts";
import { randomStream } from "./exploration/random.ts";

function entry(index: number, term: number, baseOffset: number, sizeBytes = 10): Entry {
  return { index, term, kind: "data", baseOffset, offsetCount: 2, payload: new Uint8Array(sizeBytes) };
}

function logOf(terms: readonly number[], recentBytesMax = 1_000): RaftLog {
  const log = new RaftLog({ floor: { index: 0, term: 0 }, nextOffset: 0, entries: [], recentBytesMax });
  for (const term of terms) log.push(entry(log.lastIndex + 1, term, log.nextOffset));
  return log;
}

function applyAll(log: RaftLog): void {
  log.stage();
  log.persistedTo(log.lastIndex);
  log.commitTo(log.lastIndex);
  log.handedTo(log.lastIndex);
  log.appliedTo(log.lastIndex);
}

test("an index and a term match where the log has that entry, and at its floor", () => {
  const log = logOf([1, 1, 2]);
  expect([log.matches(0, 0), log.matches(2, 1), log.matches(3, 2)]).toEqual([true, true, true]);
  expect([log.matches(3, 1), log.matches(4, 2)]).toEqual([false, false]);
  applyAll(log);
  log.releaseThroughIndex(2);
  expect([log.matches(1, 1), log.matches(2, 1)]).toEqual([false, true]);
});

test("a log with a later term is newer however short it is", () => {
  const log = logOf([1, 2, 2]);
  expect(log.isUpToDate(1, 3)).toBe(true);
  expect(log.isUpToDate(3, 2)).toBe(true);
  expect(log.isUpToDate(2, 2)).toBe(false);
  expect(log.isUpToDate(9, 1)).toBe(false);
});

test("the place where logs can part skips whole terms", () => {
  const log = logOf([1, 1, 4, 4, 5, 5, 6]);
  expect(log.lastIndexWithTermUpTo(7, 6)).toBe(7);
  expect(log.lastIndexWithTermUpTo(7, 4)).toBe(4);
  expect(log.lastIndexWithTermUpTo(7, 3)).toBe(2);
  expect(log.lastIndexWithTermUpTo(100, 5)).toBe(6);
  expect(log.lastIndexWithTermUpTo(7, 0)).toBe(0);
});

test("committed entries cannot be truncated", () => {
  const log = logOf([1, 1, 1]);
  log.commitTo(2);
  expect(() => log.truncateFrom(2)).toThrow();
  log.truncateFrom(3);
  expect(log).toMatchObject({ lastIndex: 2, lastTerm: 1, nextOffset: 4 });
});

test("what was truncated is neither staged nor durable any more", () => {
  const log = logOf([1, 1, 1]);
  log.stage();
  log.persistedTo(3);
  log.truncateFrom(2);
  expect(log.persistedIndex).toBe(1);
  log.push(entry(2, 2, 2));
  expect(log.stage().map(({ index, term }) => [index, term])).toEqual([[2, 2]]);
});

test("payloads of applied entries leave the memory at their bound, those of others never", () => {
  const log = logOf([1, 1, 1, 1, 1], 25);
  expect(log.firstInMemory).toBe(1);
  log.stage();
  log.persistedTo(5);
  log.commitTo(3);
  log.handedTo(3);
  log.appliedTo(3);
  expect(log.firstInMemory).toBe(4);
  expect(log.termAt(1)).toBe(1);
  expect(log.nextOffsetAt(1)).toBe(2);
  expect(log.recentBytes).toBe(20);
});

test("a host that needs memory takes applied payloads, and no others", () => {
  const log = logOf([1, 1, 1, 1]);
  log.stage();
  log.persistedTo(4);
  log.commitTo(3);
  log.handedTo(3);
  log.appliedTo(2);
  log.trim(30);
  expect(log.firstInMemory).toBe(2);
  log.trim(0);
  expect(log.firstInMemory).toBe(3);
  expect(log.recentBytes).toBe(20);
});

test("the floor moves to the last entry whose data is durable elsewhere", () => {
  const log = logOf([1, 1, 2]);
  applyAll(log);
  expect(log.releaseThroughOffset(1)).toBeUndefined();
  expect(log.releaseThroughOffset(5)).toEqual({ index: 2, term: 1 });
  expect(log.nextOffsetAt(2)).toBe(4);
  expect(() => log.nextOffsetAt(1)).toThrow();
});

test("restored entries are durable, and not in memory", () => {
  const log = new RaftLog({
    floor: { index: 7, term: 2 },
    nextOffset: 99,
    entries: [entry(8, 2, 40), entry(9, 3, 42)],
    recentBytesMax: 10,
  });
  expect(log).toMatchObject({ lastIndex: 9, lastTerm: 3, persistedIndex: 9, commitIndex: 7 });
  expect(log.nextOffsetAt(7)).toBe(40);
  expect(log.firstInMemory).toBe(10);
  expect(log.hasUnstaged).toBe(false);
});

test.each([1, 2, 3, 4, 5])("agrees with a plain list of entries, seed %i", (seed) => {
  const random = randomStream(seed);
  const log = logOf([], 40);
  const model: Entry[] = [];
  let floor = 0;
  for (let i = 0; i < 2_000; i++) {
    const choice = random() % 10;
    if (choice < 5) {
      const next = entry(model.length + 1, log.lastTerm + (random() % 8 === 0 ? 1 : 0), log.nextOffset);
      log.push(next);
      model.push(next);
    } else if (choice === 5 && log.commitIndex < log.lastIndex) {
      const index = log.commitIndex + 1 + (random() % (log.lastIndex - log.commitIndex));
      log.truncateFrom(index);
      model.length = index - 1;
    } else if (choice < 9) {
      log.stage();
      log.persistedTo(log.lastIndex - (random() % 3 === 0 ? 1 : 0));
      log.commitTo(Math.max(log.commitIndex, log.lastIndex - (random() % 4)));
      log.handedTo(Math.max(log.nextToHand - 1, log.applicableIndex));
      log.appliedTo(log.nextToHand - 1);
    } else {
      floor = log.releaseThroughIndex(log.appliedIndex - (random() % 3))?.index ?? floor;
    }
    expect(log.lastIndex).toBe(model.length);
    expect(log.nextOffset).toBe(model.length * 2);
    expect(log.floor.index).toBe(floor);
    const probe = random() % (model.length + 2);
    const known = probe < floor ? undefined : probe === 0 ? 0 : model[probe - 1]?.term;
    expect(log.termAt(probe), `term at ${probe} of ${model.length}, floor ${floor}`).toBe(known);
    const start = Math.max(log.firstInMemory, log.lastIndex - 3);
    expect(log.recentEntries({ start, last: log.lastIndex, bytesMax: Infinity })).toEqual(
      model.slice(start - 1),
    );
  }
});
