import { expect, test } from "vitest";
import { readBatchHeader } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { buildTransactionMarker } from "#protocol/records/control-batch.ts";
import { AbortedTransactions } from "#src/cli/client/aborted-transactions.ts";

const records = [{ timestampMs: 1, key: null, value: Buffer.from("x") }];

function data(baseOffset: number, producerId: number, isTransactional = true): Uint8Array {
  return buildBatch({ records, baseOffset, producerId, producerEpoch: 0, baseSequence: 0, isTransactional });
}

function marker(baseOffset: number, producerId: number, outcome: "abort" | "commit"): Uint8Array {
  const fixed = { producerEpoch: 0, coordinatorEpoch: 0, timestampMs: 1, leaderEpoch: 0 };
  return buildTransactionMarker({ ...fixed, baseOffset, producerId, outcome });
}

function hidden(aborted: AbortedTransactions, batches: readonly Uint8Array[]): boolean[] {
  return batches.map((batch) => aborted.hides(batch, readBatchHeader(batch, 0)));
}

test("batches of an aborted transaction are hidden up to its marker, and no others", () => {
  const aborted = new AbortedTransactions([{ producerId: 7, firstOffset: 2 }]);
  const batches = [
    data(1, 7), // A transaction of the same producer that was committed.
    data(2, 7),
    data(3, 8), // Another producer's.
    data(4, 7, false), // Not of a transaction.
    data(5, 7),
    marker(6, 7, "abort"),
    data(7, 7), // The producer's next transaction.
  ];
  expect(hidden(aborted, batches)).toEqual([false, true, false, false, true, false, false]);
});

test("several aborted transactions overlap, given in any order", () => {
  const aborted = new AbortedTransactions([
    { producerId: 8, firstOffset: 3 },
    { producerId: 7, firstOffset: 1 },
  ]);
  const batches = [
    data(1, 7),
    data(3, 8),
    marker(4, 7, "abort"),
    data(5, 8),
    data(6, 7),
    marker(7, 8, "abort"),
  ];
  expect(hidden(aborted, batches)).toEqual([true, true, false, true, false, false]);
});
