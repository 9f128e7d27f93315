import { describe, expect, test } from "vitest";
import { readBatchHeader } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import { crashModes, FaultyFileSystem } from "#storage/io/faulty-file.ts";
import { DiskError, type File } from "#storage/io/file.ts";
import { MemoryFileSystem } from "#storage/io/memory-file.ts";
import type { Log } from "#storage/log/log.ts";
import { LogClosedError, OffsetOutOfRangeError } from "#storage/log/log-error.ts";
import { OpenFiles } from "#storage/log/open-files.ts";
import { SegmentIndexes } from "#storage/log/segment-indexes.ts";
import { seededRandom } from "../seeded-random.ts";
import {
  compactionAt,
  deleteRetentionMs,
  KeyedModel,
  keyedConfig,
  keyedOptions,
  recordsOf,
} from "./keyed-log.ts";
import { logFixture, readAt } from "./log-fixture.ts";

const filler = "x".repeat(400);

/** Files in memory, of which the next opening of one can be held up. */
class GatedFiles extends MemoryFileSystem {
  #held: { readonly name: string; readonly released: Promise<void> } | undefined;

  /** Holds up who opens the file next, until the answer is called. */
  hold(name: string): () => void {
    const { promise: released, resolve } = Promise.withResolvers<void>();
    this.#held = { name, released };
    return resolve;
  }

  override async open(path: string, mode: "create" | "existing"): Promise<File> {
    const held = this.#held;
    if (held && path.endsWith(held.name)) {
      this.#held = undefined;
      await held.released;
    }
    return super.open(path, mode);
  }
}

/** Appends `count` records over `keyCount` keys, two to a batch, and flushes them. */
async function fill(model: KeyedModel, log: Log, { count = 60, keyCount = 5, from = 0 } = {}): Promise<void> {
  for (let i = from; i < from + count; i += 2) {
    const records = [i, i + 1].map((n) => ({ key: `k${n % keyCount}`, value: `${n}-${filler}` }));
    model.append(log, records);
  }
  await log.flush();
  model.flushedOffset = log.flushedOffset;
}

async function sealAll(log: Log): Promise<void> {
  log.updateConfig({ ...log.config, segmentMs: 0 });
  await log.sealAged({ nowMs: 2_000_000 });
  log.updateConfig({ ...log.config, segmentMs: keyedConfig.segmentMs });
}

describe("compaction", () => {
  test("keeps the last record of each key below the open segment, and all of the open one", async () => {
    await using log = await logFixture().open(keyedOptions);
    const model = new KeyedModel();
    await fill(model, log);
    const openFrom = log.segments().at(-1)?.baseOffset ?? 0;
    const before = log.sizeBytes;
    const report = await model.compact(log, compactionAt(0));

    const found = await model.expectLegal(log, 0);
    model.expectClean(found, openFrom);
    expect(found.filter(({ offset }) => offset < openFrom)).toHaveLength(5);
    expect(found.filter(({ offset }) => offset >= openFrom)).toHaveLength(60 - openFrom);
    expect(report).toMatchObject({ cleanedOffset: openFrom, isPartial: false, keyCount: 5 });
    expect(report?.after.sizeBytes).toBeLessThan(report?.before.sizeBytes ?? 0);
    expect(log.sizeBytes).toBe(before - (report?.before.sizeBytes ?? 0) + (report?.after.sizeBytes ?? 0));
    expect([log.startOffset, log.nextOffset]).toEqual([0, 60]);
  });

  test("small segments become one, under a name of its own, and the old files go", async () => {
    const { open, files } = logFixture();
    await using log = await open(keyedOptions);
    const model = new KeyedModel();
    await fill(model, log);
    expect(log.segments().length).toBeGreaterThan(4);
    await model.compact(log, compactionAt(0));
    expect(log.segments()).toHaveLength(2);
    expect(log.segments()[0]?.path).toBe("/data/topic-0/00000000000000000000.1.log");
    const names = await files.list(log.directory);
    expect(names.filter((name) => name.endsWith("log")).map((name) => `${log.directory}/${name}`)).toEqual(
      log.segments().map(({ path }) => path),
    );
    expect(names.filter((name) => /^0{20}.*index$/.test(name)).sort()).toEqual([
      "00000000000000000000.1.index",
      "00000000000000000000.1.timeindex",
    ]);
  });

  test("after a restart the log is as it was, and nothing is dirty", async () => {
    const { open } = logFixture();
    const model = new KeyedModel();
    const log = await open(keyedOptions);
    await fill(model, log);
    await model.compact(log, compactionAt(0));
    const found = await recordsOf(log);
    await log.close();
    await using reopened = await open({ ...keyedOptions, durableOffset: 60 });
    expect(await recordsOf(reopened)).toEqual(found);
    expect(reopened.compactable(compactionAt(0)).dirtyBytes).toBe(0);
    expect(await reopened.compact(compactionAt(0))).toBeUndefined();
  });

  test("a reader that stands in a gap gets the next batch that is left", async () => {
    await using log = await logFixture().open(keyedOptions);
    const model = new KeyedModel();
    await fill(model, log);
    await model.compact(log, compactionAt(0));
    const left = (await recordsOf(log)).map(({ offset }) => offset);
    for (let offset = 0; offset < 60; offset++) {
      const slice = await readAt(log, offset, { maxBytes: 1 });
      const header = readBatchHeader(slice.chunks[0] ?? new Uint8Array(61), 0);
      expect(header.nextOffset).toBeGreaterThan(offset);
      expect(left.find((other) => other >= offset)).toBeLessThan(header.nextOffset);
      expect(slice.nextOffset).toBe(header.nextOffset);
    }
  });

  test("batches in the cache do not outlive their segments", async () => {
    const { open } = logFixture(undefined, 1 << 20);
    await using log = await open(keyedOptions);
    const model = new KeyedModel();
    await fill(model, log);
    await recordsOf(log);
    await model.compact(log, compactionAt(0));
    model.expectClean(await model.expectLegal(log, 0), log.segments().at(-1)?.baseOffset ?? 0);
  });

  test("the search by time finds what is left", async () => {
    await using log = await logFixture().open(keyedOptions);
    const model = new KeyedModel();
    for (let i = 0; i < 40; i++) {
      model.append(log, [{ key: `k${i % 4}`, value: `${i}-${filler}` }], { timestampMs: 1000 + i });
    }
    await log.flush();
    await model.compact(log, compactionAt(0));
    const left = await recordsOf(log);
    for (let wanted = 990; wanted < 1050; wanted++) {
      const expected = left.find(({ timestampMs }) => timestampMs >= wanted);
      const found = await log.offsetForTimestamp(wanted);
      expect(found && { offset: found.offset, timestampMs: found.timestampMs }).toEqual(
        expected && { offset: expected.offset, timestampMs: expected.timestampMs },
      );
    }
    expect(await log.maxTimestamp()).toMatchObject({ offset: 39 });
  });

  test("a tombstone takes its key's values at once, and goes itself after its time (KIP-534)", async () => {
    await using log = await logFixture().open(keyedOptions);
    const model = new KeyedModel();
    model.append(log, [{ key: "gone", value: filler }]);
    await fill(model, log, { count: 10 });
    model.append(log, [{ key: "gone", value: null }]);
    await fill(model, log, { count: 30, from: 12 });
    await sealAll(log);

    const isThere = async () =>
      (await recordsOf(log)).filter(({ key }) => key === "gone").map((r) => r.value);
    await model.compact(log, compactionAt(5000));
    expect(await isThere()).toEqual([null]);

    await fill(model, log, { count: 30, from: 42 });
    await model.compact(log, compactionAt(5000 + deleteRetentionMs - 1));
    expect(await isThere()).toEqual([null]);

    await fill(model, log, { count: 30, from: 72 });
    await model.compact(log, compactionAt(5000 + deleteRetentionMs));
    expect(await isThere()).toEqual([]);
    await model.expectLegal(log, 5000 + deleteRetentionMs);
  });

  test("the log's last batch stays, emptied, where all after it is gone", async () => {
    const { open } = logFixture();
    const log = await open(keyedOptions);
    const model = new KeyedModel();
    model.append(log, [{ key: "a", value: "1" }]);
    model.append(log, [{ key: "a", value: null }]);
    await log.flush();
    await sealAll(log);
    await model.compact(log, compactionAt(0));
    // Dirty once more, as only a log with something dirty is compacted.
    model.append(log, [{ key: "a", value: null }]);
    await log.flush();
    await sealAll(log);
    await model.compact(log, compactionAt(10));
    model.append(log, [{ key: "b", value: null }]);
    await log.flush();
    await sealAll(log);
    await model.compact(log, compactionAt(20));
    await log.close();

    await using reopened = await open({ ...keyedOptions, durableOffset: 4 });
    expect(reopened.nextOffset).toBe(4);
    expect(await readAt(reopened, 0)).toMatchObject({ nextOffset: 4 });
    expect(await readAt(reopened, 4)).toMatchObject({ batchCount: 0 });
  });

  test("records without a key, and batches that may not be touched, stay", async () => {
    await using log = await logFixture().open(keyedOptions);
    const model = new KeyedModel();
    model.append(log, [
      { key: null, value: "alone" },
      { key: "k0", value: "old" },
    ]);
    const { nextOffset } = log;
    const transactional = buildBatch({
      baseOffset: nextOffset,
      producerId: 1,
      producerEpoch: 0,
      baseSequence: 0,
      isTransactional: true,
      records: [{ timestampMs: 1, key: Buffer.from("t"), value: Buffer.from("1") }],
    });
    log.append(transactional, readBatchHeader(transactional, 0));
    const later = buildBatch({
      baseOffset: nextOffset + 1,
      records: ["t", "k0"].map((key) => ({ timestampMs: 1, key: Buffer.from(key), value: Buffer.from("2") })),
    });
    log.append(later, readBatchHeader(later, 0));
    await log.flush();
    await sealAll(log);
    await log.compact(compactionAt(0));
    expect((await recordsOf(log)).map(({ key, offset }) => `${key}@${offset}`)).toEqual([
      "null@0",
      "t@2",
      "t@3",
      "k0@4",
    ]);
  });

  test("a producer's last batch stays, emptied", async () => {
    await using log = await logFixture().open(keyedOptions);
    const model = new KeyedModel();
    await fill(model, log);
    const mustStay = (batch: Uint8Array) => readBatchHeader(batch, 0).baseOffset === 10;
    await model.compact(log, compactionAt(0, { mustStay }));
    const slice = await readAt(log, 9, { maxBytes: 1 });
    const header = readBatchHeader(slice.chunks[0] ?? new Uint8Array(61), 0);
    expect(header).toMatchObject({ baseOffset: 10, nextOffset: 12, recordCount: 0 });
    await model.expectLegal(log, 0);
  });

  test("with more keys than the map holds, a first part is compacted, and the rest by later runs", async () => {
    await using log = await logFixture().open(keyedOptions);
    const model = new KeyedModel();
    await fill(model, log, { count: 120, keyCount: 40 });
    const request = compactionAt(0, { keyMapBytes: 24 * 12 });
    const ends: number[] = [];
    for (;;) {
      const report = await model.compact(log, request);
      if (!report) break;
      ends.push(report.cleanedOffset);
      const found = await model.expectLegal(log, 0);
      for (const { offset } of model.records) {
        if (offset >= report.cleanedOffset) expect(found.some((other) => other.offset === offset)).toBe(true);
      }
    }
    expect(ends.length).toBeGreaterThan(5);
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
    model.expectClean(await recordsOf(log), ends.at(-1) ?? 0);
  });

  test("segments with records younger than the lag are left alone, with all behind them", async () => {
    await using log = await logFixture().open(keyedOptions);
    const model = new KeyedModel();
    await fill(model, log, { count: 20 });
    const youngFrom = log.nextOffset;
    model.append(log, [{ key: "k0", value: filler }], { timestampMs: 9000 });
    await fill(model, log, { count: 40, from: 21 });
    const rules = { ...compactionAt(0).rules, minLagMs: 1000 };
    const report = await model.compact(log, compactionAt(9500, { rules }));
    expect(report?.cleanedOffset).toBeLessThanOrEqual(youngFrom);
    await model.expectLegal(log, 9500);
  });

  test("nothing is written where nothing can go, and the log counts as clean all the same", async () => {
    const { open, files } = logFixture();
    await using log = await open({ ...keyedOptions, config: { ...keyedConfig, segmentBytes: 60_000 } });
    const model = new KeyedModel();
    await fill(model, log, { count: 20, keyCount: 20 });
    await sealAll(log);
    await model.compact(log, compactionAt(0));
    expect(log.segments()[0]?.generation).toBe(0);
    expect((await files.list(log.directory)).filter((name) => name.includes(".1."))).toEqual([]);
    expect(log.compactable(compactionAt(0)).dirtyBytes).toBe(0);
  });

  test("a quiet log's open segment is sealed at its age", async () => {
    const { open, clock } = logFixture();
    await using log = await open({ ...keyedOptions, config: { ...keyedConfig, segmentMs: 500 } });
    const model = new KeyedModel();
    await fill(model, log, { count: 4 });
    await log.sealAged({ nowMs: clock.nowMs + 500 });
    expect(log.segments()[0]?.isSealed).toBe(false);
    await log.sealAged({ nowMs: clock.nowMs + 501 });
    expect(log.segments()[0]?.isSealed).toBe(true);
    await log.sealAged({ nowMs: clock.nowMs + 5000 });
    expect(log.segments()).toHaveLength(1);
  });
});

describe("beside a compaction", () => {
  for (const end of ["compact", "trim"] as const) {
    for (const kind of ["read", "search", "scan"] as const) {
      test(`a ${kind} that loses its file by a ${end} goes on in what is there now`, async () => {
        const files = new GatedFiles();
        const disk = { ...keyedOptions, files, arena: new BufferArena({ bytesMax: 1 << 24 }) };
        const openFiles = new OpenFiles(files, 0);
        const indexes = new SegmentIndexes({ ...disk, openFiles }, 0);
        await using log = await logFixture(files).open({ ...disk, openFiles, indexes });
        const model = new KeyedModel();
        await fill(model, log);

        const release = files.hold("00000000000000000000.index");
        const reading = {
          read: async () => (await readAt(log, 0)).firstOffset,
          search: async () => (await log.offsetForTimestamp(1000))?.offset,
          scan: async () => {
            const seen: number[] = [];
            await log.scan(0, (_batch, header) => seen.push(header.baseOffset));
            expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
            return seen[0];
          },
        }
          [kind]()
          .catch((error: unknown) => error);
        if (end === "compact") await model.compact(log, compactionAt(0));
        else await log.trimTo(30);
        release();

        const found = await reading;
        // Readers are told that their offset is gone; who goes through the whole log just begins later.
        if (kind === "read" && end === "trim") expect(found).toBeInstanceOf(OffsetOutOfRangeError);
        else if (kind === "search") expect(found).toBe((await recordsOf(log))[0]?.offset);
        else expect(found).toBe((await readAt(log, log.startOffset)).firstOffset);
        expect(found).not.toBe(0);
      });
    }
  }

  test("appends, flushes and reads go on between any two of its batches", async () => {
    await using log = await logFixture().open(keyedOptions);
    const model = new KeyedModel();
    await fill(model, log, { count: 300 });
    const openFrom = log.segments().at(-1)?.baseOffset ?? 0;
    let paces = 0;
    const pace = async () => {
      paces++;
      await fill(model, log, { count: 10, from: model.nextOffset });
      expect((await readAt(log, 0, { maxBytes: 1 })).batchCount).toBe(1);
    };
    const report = await model.compact(log, compactionAt(0, { pace }));
    expect(paces).toBeGreaterThan(1);
    expect(report?.cleanedOffset).toBe(openFrom);
    model.expectClean(await model.expectLegal(log, 0), openFrom);
  });

  test("a trim that takes its segments ends the run, and the log stays whole", async () => {
    const { open, files } = logFixture();
    await using log = await open(keyedOptions);
    const model = new KeyedModel();
    await fill(model, log, { count: 300 });
    let isTrimmed = false;
    const pace = async () => {
      if (isTrimmed) return;
      isTrimmed = true;
      await log.trimTo(250);
    };
    expect(await model.compact(log, compactionAt(0, { pace }))).toBeUndefined();
    expect(log.startOffset).toBe(250);
    await model.expectLegal(log, 0);
    const names = (await files.list(log.directory)).filter((name) => name.endsWith(".log"));
    expect(names).toHaveLength(log.segments().length);
    expect(await model.compact(log, compactionAt(0))).toBeDefined();
    await model.expectLegal(log, 0);
  });

  for (const end of ["close", "remove"] as const) {
    test(`${end} ends the run first and leaves nothing of it`, async () => {
      const { open, files } = logFixture();
      const log = await open(keyedOptions);
      const model = new KeyedModel();
      await fill(model, log, { count: 300 });
      let ended: Promise<void> | undefined;
      const pace = async () => {
        ended ??= log[end]();
      };
      await expect(model.compact(log, compactionAt(0, { pace }))).rejects.toThrow(LogClosedError);
      await ended;
      if (end === "remove") return expect(await files.list(log.directory)).toEqual([]) as undefined;
      await using reopened = await open({ ...keyedOptions, durableOffset: 300 });
      await model.expectLegal(reopened, 0);
    });
  }

  test("a run that ends half-way leaves the rest to the next one", async () => {
    await using log = await logFixture().open(keyedOptions);
    const model = new KeyedModel();
    await fill(model, log, { count: 400, keyCount: 100 });
    const openFrom = log.segments().at(-1)?.baseOffset ?? 0;
    let paces = 0;
    const pace = async () => {
      if (++paces === 5) throw new Error("enough for now");
    };
    await expect(model.compact(log, compactionAt(0, { pace }))).rejects.toThrow("enough for now");
    expect(log.segments()[0]?.generation).toBe(1);
    expect(log.segments().some(({ generation }) => generation === 0)).toBe(true);
    await model.expectLegal(log, 0);
    expect(await model.compact(log, compactionAt(0))).toMatchObject({ cleanedOffset: openFrom });
    model.expectClean(await model.expectLegal(log, 0), openFrom);
  });

  test.each(crashModes)("a crash (%s) after the disk was full at any change loses nothing", async (mode) => {
    for (let failAt = 1; ; failAt++) {
      let changes = 0;
      let isRunning = false;
      const failChange = () => (isRunning && ++changes === failAt ? ("full" as const) : undefined);
      const files = new FaultyFileSystem({ failChange });
      const log = await logFixture(files).open(keyedOptions);
      const model = new KeyedModel();
      await fill(model, log);
      isRunning = true;
      await model.compact(log, compactionAt(0)).catch((error: unknown) => error);
      isRunning = false;
      if (changes < failAt) return expect(failAt).toBeGreaterThan(10) as undefined;
      const survivor = files.crash({ mode, random: seededRandom(failAt) });
      const reopened = await logFixture(survivor).open({ ...keyedOptions, durableOffset: 60 });
      await model.expectLegal(reopened, 0);
      await model.compact(reopened, compactionAt(0));
      await model.expectLegal(reopened, 0);
    }
  });

  test("a disk that is full at any change loses nothing, and a later run does it", async () => {
    for (let failAt = 1; ; failAt++) {
      let changes = 0;
      let hasFailed = false;
      let isRunning = false;
      const failChange = () => {
        if (!isRunning || ++changes !== failAt) return undefined;
        hasFailed = true;
        return "full" as const;
      };
      const { open } = logFixture(new FaultyFileSystem({ failChange }));
      const log = await open(keyedOptions);
      const model = new KeyedModel();
      await fill(model, log);
      isRunning = true;
      const failure = await model.compact(log, compactionAt(0)).catch((error: unknown) => error);
      isRunning = false;
      if (!hasFailed) return expect(failAt).toBeGreaterThan(10);
      if (failure instanceof Error) expect(failure).toBeInstanceOf(DiskError);
      await model.expectLegal(log, 0);
      await fill(model, log, { count: 30, from: 60 });
      await model.compact(log, compactionAt(0));
      const openFrom = log.segments().at(-1)?.baseOffset ?? 0;
      model.expectClean(await model.expectLegal(log, 0), openFrom);
      await log.close();
      await using reopened = await open({ ...keyedOptions, durableOffset: 90 });
      model.expectClean(await model.expectLegal(reopened, 0), openFrom);
    }
  });
});
