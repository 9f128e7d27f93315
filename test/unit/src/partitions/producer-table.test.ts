import { expect, test } from "vitest";
import { decodeProducerSnapshot, encodeProducerSnapshot } from "#src/partitions/producer-snapshot.ts";
import { ProducerTable } from "#src/partitions/producer-table.ts";

const sequence = (baseSequence: number, recordCount = 1, producerEpoch = 0) => ({
  producerId: 7,
  producerEpoch,
  baseSequence,
  recordCount,
});

/** A table whose producer has appended batches of one record each, from a first sequence on. */
function tableWith(count: number, first = 0): ProducerTable {
  const table = new ProducerTable();
  for (let at = 0; at < count; at++) {
    const baseOffset = 100 + at;
    table.append(
      sequence((first + at) % 2 ** 31),
      { baseOffset, nextOffset: baseOffset + 1, maxTimestampMs: at },
      at,
    );
  }
  return table;
}

test("the last five batches are known by where they went, older ones are out of order (trap 19)", () => {
  const table = tableWith(7);
  for (const at of [2, 3, 4, 5, 6]) {
    expect(table.check(sequence(at))).toMatchObject({ kind: "duplicate", batch: { baseOffset: 100 + at } });
  }
  expect(table.check(sequence(1))).toEqual({ kind: "outOfOrder", expectedSequence: 7 });
  expect(table.check(sequence(7))).toEqual({ kind: "next" });
  expect(table.check(sequence(8))).toEqual({ kind: "outOfOrder", expectedSequence: 7 });
});

test("a batch that overlaps a known one without being it is out of order", () => {
  const table = tableWith(2);
  expect(table.check(sequence(1, 2))).toEqual({ kind: "outOfOrder", expectedSequence: 2 });
});

test("sequences wrap from the largest int32 to 0 (trap 19)", () => {
  const table = tableWith(1, 2 ** 31 - 1);
  expect(table.check(sequence(0))).toEqual({ kind: "next" });
  expect(table.check(sequence(1))).toEqual({ kind: "outOfOrder", expectedSequence: 0 });
  const spanning = new ProducerTable();
  const place = { baseOffset: 0, nextOffset: 4, maxTimestampMs: 0 };
  spanning.append(sequence(2 ** 31 - 2, 4), place, 0);
  expect(spanning.check(sequence(2 ** 31 - 2, 4))).toMatchObject({ kind: "duplicate" });
  expect(spanning.check(sequence(2))).toEqual({ kind: "next" });
});

test("an unknown producer begins anywhere, a new epoch at 0, an old epoch nowhere (trap 20)", () => {
  const table = tableWith(3);
  expect(table.check({ ...sequence(500), producerId: 8 })).toEqual({ kind: "next" });
  expect(table.check(sequence(0, 1, 1))).toEqual({ kind: "next" });
  expect(table.check(sequence(3, 1, 1))).toEqual({ kind: "outOfOrder", expectedSequence: 0 });
  table.append(sequence(0, 1, 1), { baseOffset: 9, nextOffset: 10, maxTimestampMs: 0 }, 0);
  expect(table.check(sequence(3, 1, 0))).toEqual({ kind: "fenced", currentEpoch: 1 });
  expect(table.check(sequence(2, 1, 1))).toEqual({ kind: "outOfOrder", expectedSequence: 1 });
});

test("a new epoch that is taken back leaves what was committed of the one before it", () => {
  const table = tableWith(3);
  table.append(sequence(0, 1, 1), { baseOffset: 103, nextOffset: 104, maxTimestampMs: 0 }, 0, 103);
  table.append(sequence(0, 1, 2), { baseOffset: 104, nextOffset: 105, maxTimestampMs: 0 }, 0, 103);
  expect(table.check(sequence(2, 1, 0))).toEqual({ kind: "fenced", currentEpoch: 2 });
  // A snapshot of what the segments hold has the last epoch that is in them.
  expect(table.entriesUpTo(103)).toEqual(tableWith(3).entriesUpTo(103));
  table.truncateTo(103);
  expect(table.check(sequence(2, 1, 0))).toMatchObject({ kind: "duplicate", batch: { baseOffset: 102 } });
  expect([...table.entries()]).toMatchObject([...tableWith(3).entries()]);
});

test("an epoch is forgotten once the next one has something committed", () => {
  const table = tableWith(3);
  table.append(sequence(0, 1, 1), { baseOffset: 103, nextOffset: 104, maxTimestampMs: 0 }, 0, 103);
  table.append(sequence(1, 1, 1), { baseOffset: 104, nextOffset: 105, maxTimestampMs: 0 }, 0, 104);
  expect(table.entriesUpTo(103)).toEqual([]);
  table.truncateTo(104);
  expect(table.check(sequence(0, 1, 1))).toMatchObject({ kind: "duplicate" });
  table.append(sequence(0, 1, 2), { baseOffset: 104, nextOffset: 105, maxTimestampMs: 0 }, 0, 104);
  expect(table.entriesUpTo(103)).toEqual([]);
});

test("producers are forgotten after producer.id.expiration.ms without a batch (trap 21)", () => {
  const table = tableWith(1);
  table.expire(999, 1_000);
  expect(table.size).toBe(1);
  table.expire(1_000, 1_000);
  expect(table.size).toBe(0);
});

test("a snapshot gives back what it was made of (trap 22)", () => {
  const producers = [...tableWith(7).entries()];
  const snapshot = { offset: 2 ** 40, producers };
  const decoded = decodeProducerSnapshot(encodeProducerSnapshot(snapshot));
  expect(decoded).toEqual(snapshot);
  const table = new ProducerTable();
  table.restore(decoded.producers);
  expect(table.check(sequence(6))).toMatchObject({ kind: "duplicate", batch: { baseOffset: 106 } });
});

test("a snapshot keeps times before 1970 and batches without a time", () => {
  const batch = { baseSequence: 0, lastSequence: 0, baseOffset: 0, nextOffset: 1, maxTimestampMs: -1 };
  const producers = [{ producerId: 0, producerEpoch: 0, lastAppendMs: 5, batches: [batch] }];
  expect(decodeProducerSnapshot(encodeProducerSnapshot({ offset: 1, producers })).producers).toEqual(
    producers,
  );
});
