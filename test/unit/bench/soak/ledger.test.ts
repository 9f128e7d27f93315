import { expect, test } from "vitest";
import { emptyTally, PartitionLedger, ReadingCheck } from "../../../../bench/soak/ledger.ts";

test("records at their numbers, one after the other, are as they should be", () => {
  const tally = emptyTally();
  const check = new ReadingCheck(tally, { mayHaveGaps: false, from: 0 });
  for (let offset = 0; offset < 5; offset++) check.take(offset, offset);
  expect(tally).toEqual({ ...emptyTally(), recordCount: 5 });
  expect(check.next).toBe(5);
});

test("offsets that were passed over are lost records", () => {
  const tally = emptyTally();
  const check = new ReadingCheck(tally, { mayHaveGaps: false, from: 0 });
  check.take(2, 2);
  check.take(6, 6);
  expect(tally.gapCount).toBe(5);
});

test("a compacted log may pass offsets over", () => {
  const tally = emptyTally();
  const check = new ReadingCheck(tally, { mayHaveGaps: true, from: 0 });
  check.take(9, 9);
  check.passed(12);
  expect(tally.gapCount).toBe(0);
  expect(check.next).toBe(12);
});

test("what a reader says of its place hides no gap of a plain log", () => {
  const tally = emptyTally();
  const check = new ReadingCheck(tally, { mayHaveGaps: false, from: 0 });
  check.passed(12);
  check.take(12, 12);
  expect(tally.gapCount).toBe(12);
});

test("a record that was appended twice lies at another offset than its number", () => {
  const tally = emptyTally();
  const check = new ReadingCheck(tally, { mayHaveGaps: false, from: 0 });
  check.take(0, 0);
  check.take(1, 0);
  expect(tally).toMatchObject({ misplacedCount: 1, gapCount: 0 });
});

test("a record that carries no number is not one of ours", () => {
  const tally = emptyTally();
  new ReadingCheck(tally, { mayHaveGaps: false }).take(3, undefined);
  expect(tally.misplacedCount).toBe(1);
});

test("a second delivery is told apart from a second append", () => {
  const tally = emptyTally();
  const check = new ReadingCheck(tally, { mayHaveGaps: false, from: 0 });
  check.take(0, 0);
  check.take(1, 1);
  check.take(0, 0);
  expect(tally).toMatchObject({ redeliveredCount: 1, misplacedCount: 0, gapCount: 0 });
  expect(check.next).toBe(2);
});

test("a group that goes on before what it stored has lost the offset", () => {
  const tally = emptyTally();
  const check = new ReadingCheck(tally, { mayHaveGaps: false, from: 0 });
  check.committed(10);
  check.resumed(10);
  expect(tally.lostCommitCount).toBe(0);
  check.resumed(9);
  expect(tally.lostCommitCount).toBe(1);
});

test("an acknowledgement at another offset is counted by records", () => {
  const ledger = new PartitionLedger("orders", 0);
  ledger.acknowledge({ first: 0, records: 3, baseOffset: 0 });
  ledger.acknowledge({ first: 3, records: 2, baseOffset: 4 });
  expect(ledger.acknowledgedCount).toBe(5);
  expect(ledger.misplacedCount).toBe(2);
});
