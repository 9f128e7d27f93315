import { expect, test } from "vitest";
import { isIntact, readBatchHeader } from "#protocol/records/batch.ts";
import { readRecords } from "#protocol/records/record.ts";
import { PartitionLedger } from "../../../../bench/soak/ledger.ts";
import type { SoakTopic } from "../../../../bench/soak/soak-plan.ts";
import { BatchMaker, numberOf } from "../../../../bench/soak/soak-records.ts";

const plain: SoakTopic = {
  name: "orders",
  partitions: 1,
  valueBytes: 100,
  keys: 0,
  configs: {},
  partitionBytesMax: 0,
};
const producer = { producerId: 7, producerEpoch: 0 };

function maker(): BatchMaker {
  let state = 1;
  return new BatchMaker(() => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  });
}

test("records go on with the numbers where the last batch ended, and so do the sequences", () => {
  const ledger = new PartitionLedger("orders", 0);
  const batches = maker();
  batches.next(plain, ledger, 3, producer);
  const { bytes, first } = batches.next(plain, ledger, 2, producer);
  const header = readBatchHeader(bytes, 0);
  expect(first).toBe(3);
  expect(header).toMatchObject({ baseSequence: 3, producerId: 7, recordCount: 2 });
  expect(isIntact(bytes, 0, header)).toBe(true);
  const numbers = [...readRecords(bytes, { decompressedBytesMax: 1 << 20 })].map(numberOf);
  expect(numbers).toEqual([3, 4]);
  expect(ledger.sentCount).toBe(5);
});

test("of records with keys some delete theirs, and all are noted", () => {
  const ledger = new PartitionLedger("accounts", 0);
  const { bytes, keys } = maker().next({ ...plain, keys: 10 }, ledger, 40, producer);
  const records = [...readRecords(bytes, { decompressedBytesMax: 1 << 20 })];
  expect(keys.map(({ key }) => key)).toEqual(records.map(({ key }) => Buffer.from(key ?? []).toString()));
  expect(keys.filter(({ isDeletion }) => isDeletion).map(({ number }) => number)).toEqual([0, 20]);
  expect(records.filter(({ value }) => value === null)).toHaveLength(2);
});

test("a record without a number has none", () => {
  expect(numberOf({ headers: [] })).toBeUndefined();
  expect(numberOf({ headers: [{ key: "number", value: new Uint8Array(3) }] })).toBeUndefined();
});
