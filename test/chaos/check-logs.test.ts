import { expect, test } from "vitest";
import { checkPartition, type ReplicaLog } from "./check-logs.ts";
import { History, paddedValue } from "./history.ts";

const value = (key: string, sequence: number): string => paddedValue({ key, sequence }, 20);
const log = (...values: string[]): ReplicaLog => new Map(values.map((text, offset) => [offset, text]));

/** Three records acknowledged of two keys. */
function historyOfThree(): History {
  const history = new History();
  history.acknowledge({ key: "a", sequence: 0 }, { partition: 0, offset: 0 });
  history.acknowledge({ key: "b", sequence: 0 }, { partition: 0, offset: 1 });
  history.acknowledge({ key: "a", sequence: 1 }, { partition: 0, offset: 2 });
  return history;
}

const good = log(value("a", 0), value("b", 0), value("a", 1));

function judge(history: History, ...replicas: ReplicaLog[]): readonly string[] {
  checkPartition(history, 0, new Map(replicas.map((replica, at) => [at + 1, replica])));
  return history.violations;
}

test("replicas that agree, of which some are shorter, are right", () => {
  expect(judge(historyOfThree(), good, good, log(value("a", 0)))).toEqual([]);
});

test("an acknowledged record that no replica has is lost", () => {
  expect(judge(historyOfThree(), log(value("a", 0), value("b", 0)))).toEqual([
    "a:1 is lost: acknowledged at 0@2",
  ]);
});

test("a record at another place than where it was acknowledged is seen", () => {
  const swapped = log(value("b", 0), value("a", 0), value("a", 1));
  expect(judge(historyOfThree(), swapped)).toContain("0@0 held a:0 and then b:0, on node 1");
});

test("replicas that differ at one offset are seen, acknowledged or not", () => {
  const extended = (last: string) => log(...good.values(), last);
  expect(judge(historyOfThree(), extended(value("c", 0)), extended(value("c", 1)))).toEqual([
    "0@3 held c:0 and then c:1, on node 2",
  ]);
});

test("a record that is there twice is seen, and so is one that comes too late", () => {
  const doubled = log(...good.values(), value("b", 0));
  expect(judge(historyOfThree(), doubled)).toEqual(["b:0 is twice in partition 0: at 1 and 3"]);
  const late = log(...good.values(), value("c", 1), value("c", 0));
  expect(judge(historyOfThree(), late)).toEqual(["c:0 comes after c:1 in partition 0, at 4"]);
});

test("a record that its writer gave up may be there, later or not at all, but once", () => {
  const history = historyOfThree();
  for (const sequence of [0, 1]) history.giveUp({ key: "c", sequence }, "too late");
  const late = log(...good.values(), value("c", 2), value("c", 1));
  expect(judge(history, late)).toEqual([]);
  expect(judge(history, log(...late.values(), value("c", 1)))).toEqual([
    "c:1 is twice in partition 0: at 4 and 5",
  ]);
});

test("a record that was acknowledged without its offset may be anywhere, but must be", () => {
  const known = historyOfThree();
  known.acknowledge({ key: "c", sequence: 0 }, { partition: 0, offset: null });
  expect(judge(known, new Map([...good, [good.size, value("c", 0)]]))).toEqual([]);
  const lost = historyOfThree();
  lost.acknowledge({ key: "c", sequence: 0 }, { partition: 0, offset: null });
  expect(judge(lost, good)).toEqual(["c:0 is lost: acknowledged at 0@an unknown offset"]);
});

test("an offset that is missing among others is seen", () => {
  const history = historyOfThree();
  const holed = new Map([...good].map(([offset, text]) => [offset === 2 ? 3 : offset, text]));
  expect(judge(history, holed)).toContain("partition 0 has no offset 2");
});

test("two readers that see different records at one place are seen", () => {
  const history = new History();
  history.consume("one", { partition: 0, offset: 5 }, value("a", 3));
  history.consume("two", { partition: 0, offset: 5 }, value("a", 4));
  expect(history.violations).toEqual(["0@5 held a:3 and then a:4, read by two"]);
});

test("a committed offset below one that was committed before the read began has gone back", () => {
  const history = new History();
  history.commit("one", { partition: 0, offset: 10 });
  const atLeast = history.committedAtLeast("one", 0);
  history.commit("one", { partition: 0, offset: 20 });
  history.readCommitted("one", { partition: 0, offset: 10 }, atLeast);
  expect(history.violations).toEqual([]);
  history.readCommitted("one", { partition: 0, offset: 10 }, history.committedAtLeast("one", 0));
  expect(history.violations).toEqual(["one had committed 20 of partition 0, then 10"]);
  history.readCommitted("one", { partition: 0, offset: -1 }, history.committedAtLeast("one", 0));
  expect(history.violations).toHaveLength(2);
});

test("offsets that no member of a group has read are known", () => {
  const history = new History();
  for (const offset of [0, 1, 3]) history.consume("one", { partition: 2, offset }, value("a", offset));
  expect(history.missing("one", 2, 5)).toEqual([2, 4]);
  expect(history.missing("two", 2, 2)).toEqual([0, 1]);
});
