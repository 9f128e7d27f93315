import { describe, expect, test } from "vitest";
import type { Log } from "#storage/log/log.ts";
import { OffsetOutOfRangeError } from "#storage/log/log-error.ts";
import { fakeBatch } from "./fake-batch.ts";
import { kafkaBatch, kafkaChecksum, kafkaFormat } from "./kafka-batch.ts";
import { appendMany, logFixture, readAt, smallConfig } from "./log-fixture.ts";

function append(log: Log, timestampsMs: number[], leaderEpoch = 0): void {
  const batch = fakeBatch({ baseOffset: log.nextOffset, timestampsMs, leaderEpoch, fillerBytes: 1500 });
  log.append(batch.bytes, batch.header);
}

describe("by time (traps 35 and 36)", () => {
  const timestamps = [[10, 30, 20], [15, 25], [40], [35, 50, 45], [50, 5]];

  for (const state of ["dirty", "flushed", "half flushed", "reopened"] as const) {
    test(`the first record at or after a timestamp is found inside its batch, ${state}`, async () => {
      const { open } = logFixture();
      let log = await open();
      for (const [epoch, timestampsMs] of timestamps.entries()) {
        append(log, timestampsMs, epoch);
        if (state === "half flushed" && epoch === 2) await log.flush();
      }
      if (state === "flushed") await log.flush();
      if (state === "reopened") {
        await log.close();
        log = await open();
      }
      const flat = timestamps.flatMap((batch, leaderEpoch) =>
        batch.map((timestampMs) => ({ timestampMs, leaderEpoch })),
      );
      for (let wanted = 0; wanted <= 51; wanted++) {
        const offset = flat.findIndex(({ timestampMs }) => timestampMs >= wanted);
        const expected = offset < 0 ? undefined : { offset, ...flat[offset] };
        expect(await log.offsetForTimestamp(wanted)).toEqual(expected);
      }
      expect(await log.maxTimestamp()).toEqual({ offset: 7, timestampMs: 50, leaderEpoch: 3 });
      await log.close();
    });
  }

  test("an empty log has neither", async () => {
    await using log = await logFixture().open();
    expect(await log.offsetForTimestamp(0)).toBeUndefined();
    expect(await log.maxTimestamp()).toBeUndefined();
  });

  test("records below the start are not found, even in a batch that spans it", async () => {
    await using log = await logFixture().open();
    append(log, [10, 20, 30]);
    await log.trimTo(1);
    expect(await log.offsetForTimestamp(5)).toEqual({ offset: 1, timestampMs: 20, leaderEpoch: 0 });
  });

  test("in Kafka's batches, too, the search goes on behind a start in the middle of a batch", async () => {
    await using log = await logFixture().open({ format: kafkaFormat, checksum: kafkaChecksum });
    const batch = kafkaBatch({ baseOffset: 0, timestampsMs: [40, 10, 20, 30], leaderEpoch: 2 });
    log.append(batch.bytes, batch.header);
    await log.trimTo(1);
    expect(await log.offsetForTimestamp(5)).toEqual({ offset: 1, timestampMs: 10, leaderEpoch: 2 });
    expect(await log.offsetForTimestamp(15)).toEqual({ offset: 2, timestampMs: 20, leaderEpoch: 2 });
    expect(await log.offsetForTimestamp(35)).toBeUndefined();
  });

  test("timestamps that run backwards over many segments are found all the same", async () => {
    await using log = await logFixture().open();
    for (let i = 0; i < 60; i++) append(log, [10_000 - i * 10 + (i % 7) * 100]);
    await log.flush();
    expect(log.segments().length).toBeGreaterThan(3);
    for (const wanted of [9400, 9900, 10_000, 10_100, 10_540, 10_541]) {
      let expected: number | undefined;
      for (let i = 59; i >= 0; i--) if (10_000 - i * 10 + (i % 7) * 100 >= wanted) expected = i;
      expect((await log.offsetForTimestamp(wanted))?.offset).toBe(expected);
    }
  });
});

describe("leader epochs (trap 37)", () => {
  test("are known while dirty, after a flush and after a restart without a close", async () => {
    const { open } = logFixture();
    const log = await open();
    for (const epoch of [1, 1, 4, 4, 6]) append(log, [100], epoch);
    const check = (checked: Log) => {
      expect(checked.endOffsetOfEpoch(1)).toEqual({ epoch: 1, endOffset: 2 });
      expect(checked.endOffsetOfEpoch(5)).toEqual({ epoch: 4, endOffset: 4 });
      expect(checked.endOffsetOfEpoch(6)).toEqual({ epoch: 6, endOffset: 5 });
      expect(checked.endOffsetOfEpoch(7)).toEqual({ epoch: -1, endOffset: -1 });
      expect(checked.epochAt(3)).toBe(4);
    };
    check(log);
    await log.flush();
    check(log);
    check(await open());
  });
});

describe("DeleteRecords (trap 39)", () => {
  test("the start moves to any offset, durably, and whole segments below it go", async () => {
    const { open, files } = logFixture();
    const log = await open();
    appendMany(log, 60);
    await log.flush();
    const keptFrom = log.segments()[2]?.baseOffset ?? 0;
    await log.trimTo(keptFrom + 3);
    expect(log.startOffset).toBe(keptFrom + 3);
    expect(log.segments()[0]?.baseOffset).toBe(keptFrom);
    expect(() => readAt(log, keptFrom + 2)).toThrow(OffsetOutOfRangeError);
    expect(await readAt(log, keptFrom + 3, { maxBytes: 1 })).toMatchObject({ firstOffset: keptFrom + 3 });
    const names = await files.list(log.directory);
    expect(names.filter((name) => Number(name.slice(0, 20)) < keptFrom)).toEqual([]);
    expect((await open()).startOffset).toBe(keptFrom + 3);
  });

  test("batches below the start leave the cache", async () => {
    const { open, cache } = logFixture(undefined, 1 << 20);
    await using log = await open();
    appendMany(log, 10);
    expect(cache.sizeBytes).toBeGreaterThan(0);
    await log.trimTo(10);
    expect(cache.sizeBytes).toBe(0);
  });

  test("dirty batches are written before the start moves past them", async () => {
    const { open } = logFixture();
    const log = await open();
    appendMany(log, 5);
    await log.trimTo(4);
    expect([log.startOffset, log.flushedOffset]).toEqual([4, 5]);
    expect((await open()).nextOffset).toBe(5);
  });

  test("the start never moves back, nor past the end", async () => {
    await using log = await logFixture().open();
    appendMany(log, 5);
    await log.trimTo(3);
    await log.trimTo(2);
    expect(log.startOffset).toBe(3);
    await expect(log.trimTo(6)).rejects.toThrow(OffsetOutOfRangeError);
  });
});

describe("retention", () => {
  test("by size keeps at least what it says", async () => {
    await using log = await logFixture().open({ config: { ...smallConfig, retentionBytes: 30_000 } });
    appendMany(log, 100);
    await log.flush();
    const { removedSegments } = await log.applyRetention({ nowMs: 0 });
    expect(removedSegments).toBeGreaterThan(2);
    expect(log.sizeBytes).toBeGreaterThanOrEqual(30_000);
    expect(log.sizeBytes).toBeLessThan(30_000 + smallConfig.segmentBytes);
    expect(log.startOffset).toBe(log.segments()[0]?.baseOffset);
  });

  test("by time takes the open segment too when all of it is too old", async () => {
    await using log = await logFixture().open({ config: { ...smallConfig, retentionMs: 500 } });
    appendMany(log, 3);
    await log.flush();
    await log.applyRetention({ nowMs: 1502 });
    expect(log.startOffset).toBe(0);
    await log.applyRetention({ nowMs: 1503 });
    expect([log.startOffset, log.nextOffset, log.sizeBytes]).toEqual([3, 3, 0]);
  });

  test("takes nothing that reaches above what its caller has seen", async () => {
    await using log = await logFixture().open({ config: { ...smallConfig, retentionBytes: 0 } });
    appendMany(log, 100);
    await log.flush();
    const [first, second] = log.segments();
    await log.applyRetention({ nowMs: 0, upToOffset: (second?.nextOffset ?? 0) - 1 });
    expect(log.startOffset).toBe(first?.nextOffset);
    await log.applyRetention({ nowMs: 0 });
    expect(log.startOffset).toBe(log.nextOffset);
  });

  test("leaves dirty batches alone", async () => {
    await using log = await logFixture().open({ config: { ...smallConfig, retentionMs: 500 } });
    appendMany(log, 3);
    await log.flush();
    appendMany(log, 2);
    await log.applyRetention({ nowMs: 1_000_000 });
    expect([log.startOffset, log.nextOffset]).toEqual([3, 5]);
    expect(await readAt(log, 3)).toMatchObject({ batchCount: 2 });
  });
});

test("a scan meets every batch once, from segments and memory, and those appended meanwhile", async () => {
  await using log = await logFixture().open();
  appendMany(log, 40);
  await log.flush();
  appendMany(log, 10);
  const seen: number[] = [];
  await log.scan(7, (_batch, header) => {
    seen.push(header.baseOffset);
    if (header.baseOffset === 20) appendMany(log, 2);
  });
  expect(seen).toEqual(Array.from({ length: 45 }, (_, i) => i + 7));
});
