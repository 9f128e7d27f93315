import { describe, expect, test } from "vitest";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import { OffsetOutOfRangeError } from "#storage/log/log-error.ts";
import { readFile } from "#storage/snapshots/small-file.ts";
import { fakeBatch } from "./fake-batch.ts";
import { appendMany, bytesOf, expectBytes, logFixture, readAll, readAt, smallConfig } from "./log-fixture.ts";

const arena = new BufferArena({ bytesMax: 4 * 1024 * 1024 });

describe("appending and reading", () => {
  test("a new log is empty and starts at 0", async () => {
    await using log = await logFixture().open();
    expect([log.startOffset, log.nextOffset, log.flushedOffset, log.sizeBytes]).toEqual([0, 0, 0, 0]);
    expect(await readAt(log, 0)).toMatchObject({ chunks: [], sizeBytes: 0, firstOffset: 0, nextOffset: 0 });
  });

  test("dirty batches are read at once, before any flush", async () => {
    await using log = await logFixture().open();
    const batches = appendMany(log, 5);
    const slice = readAt(log, 0);
    expect(slice).not.toBeInstanceOf(Promise);
    expect(slice).toMatchObject({ firstOffset: 0, nextOffset: 5, batchCount: 5 });
    expectBytes(Buffer.concat((await slice).chunks), bytesOf(batches));
  });

  test("flushed batches are read from segments, byte for byte, across rolls", async () => {
    await using log = await logFixture().open();
    const batches = appendMany(log, 60);
    await log.flush();
    expect(log.flushedOffset).toBe(60);
    expect(log.segments().length).toBeGreaterThan(3);
    for (const maxBytes of [1, 1048, 5000, 100_000]) {
      expectBytes(await readAll(log, 0, maxBytes), bytesOf(batches));
    }
  });

  test("a batch is found from any of its offsets, and comes whole (trap 26)", async () => {
    await using log = await logFixture().open();
    const batch = fakeBatch({ baseOffset: 0, timestampsMs: [1, 2, 3, 4] });
    log.append(batch.bytes, batch.header);
    for (const offset of [0, 1, 2, 3])
      expect(await readAt(log, offset)).toMatchObject({ firstOffset: 0, nextOffset: 4 });
    await log.flush();
    for (const offset of [0, 1, 2, 3])
      expect(await readAt(log, offset)).toMatchObject({ firstOffset: 0, nextOffset: 4 });
  });

  test("a gap in the offsets is read over, in memory and on disk", async () => {
    await using log = await logFixture().open();
    for (const baseOffset of [5, 6, 20, 40]) {
      const batch = fakeBatch({ baseOffset });
      log.append(batch.bytes, batch.header);
    }
    expect(await readAt(log, 0)).toMatchObject({ firstOffset: 5, nextOffset: 41 });
    expect(await readAt(log, 7)).toMatchObject({ firstOffset: 20, nextOffset: 41 });
    await log.flush();
    expect(await readAt(log, 0)).toMatchObject({ firstOffset: 5, nextOffset: 41 });
    expect(await readAt(log, 21)).toMatchObject({ firstOffset: 40, nextOffset: 41 });
  });

  test("no batch beyond upToOffset is answered", async () => {
    await using log = await logFixture().open();
    appendMany(log, 10);
    expect(await readAt(log, 0, { upToOffset: 4 })).toMatchObject({ nextOffset: 4 });
    await log.flush();
    expect(await readAt(log, 0, { upToOffset: 4 })).toMatchObject({ nextOffset: 4 });
    expect(await readAt(log, 4, { upToOffset: 4 })).toMatchObject({ batchCount: 0, nextOffset: 4 });
  });

  test("the first batch comes over the limit only when it is asked for (KIP-74)", async () => {
    await using log = await logFixture().open();
    appendMany(log, 3, { fillerBytes: 200_000 });
    for (const flush of [false, true]) {
      if (flush) await log.flush();
      expect(await readAt(log, 0, { maxBytes: 10 })).toMatchObject({ batchCount: 1, nextOffset: 1 });
      expect(await readAt(log, 0, { maxBytes: 10, atLeastOneBatch: false })).toMatchObject({ batchCount: 0 });
    }
  });

  test("offsets outside of the log are refused", async () => {
    await using log = await logFixture().open();
    appendMany(log, 3);
    expect(() => readAt(log, 4)).toThrow(OffsetOutOfRangeError);
    expect(() => readAt(log, -1)).toThrow(OffsetOutOfRangeError);
  });

  test("the cache answers flushed batches at once", async () => {
    await using log = await logFixture(undefined, 1 << 20).open();
    const batches = appendMany(log, 10);
    await log.flush();
    const slice = readAt(log, 0);
    expect(slice).not.toBeInstanceOf(Promise);
    expectBytes(Buffer.concat((await slice).chunks), bytesOf(batches));
  });

  test("a cold read fills the cache ahead of the reader", async () => {
    const { open, cache } = logFixture(undefined, 1 << 20);
    {
      await using log = await open();
      appendMany(log, 15);
    }
    expect(cache.sizeBytes).toBe(0);
    await using log = await open();
    expect(readAt(log, 0, { maxBytes: 10 })).toBeInstanceOf(Promise);
    await readAt(log, 0, { maxBytes: 10 });
    expect(readAt(log, 1, { maxBytes: 10 })).not.toBeInstanceOf(Promise);
  });

  test("what a reader who goes on will ask for next is read while it is busy", async () => {
    const { open } = logFixture(undefined, 1 << 20);
    const config = { ...smallConfig, segmentBytes: 1 << 20, readAheadBytesMax: 8192 };
    let batches: ReturnType<typeof appendMany>;
    {
      await using log = await open({ config });
      batches = appendMany(log, 200);
    }
    await using log = await open({ config });
    const seen: Uint8Array[] = [];
    let offset = 0;
    let readsOfDisk = 0;
    let readsOfMemory = 0;
    while (offset < log.nextOffset) {
      const reading = readAt(log, offset, { maxBytes: 8192 });
      if (reading instanceof Promise) readsOfDisk++;
      else readsOfMemory++;
      const slice = await reading;
      seen.push(...slice.chunks);
      offset = slice.nextOffset;
      // The reader is busy for longer than the disk.
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expectBytes(Buffer.concat(seen), bytesOf(batches));
    // Past the first windows, in which it shows that somebody goes on, nothing is waited for.
    expect(readsOfDisk).toBeLessThanOrEqual(2);
    expect(readsOfMemory).toBeGreaterThan(10);
  });

  test("a reader who is quicker than the disk gets what is on its way, once and in order", async () => {
    const { open } = logFixture(undefined, 1 << 20);
    const config = { ...smallConfig, segmentBytes: 1 << 20, readAheadBytesMax: 8192 };
    let batches: ReturnType<typeof appendMany>;
    {
      await using log = await open({ config });
      batches = appendMany(log, 200);
    }
    await using log = await open({ config });
    expectBytes(await readAll(log, 0, 8192), bytesOf(batches));
  });
});

describe("segments", () => {
  test("a sealed segment's file holds its batches and nothing else, and both indexes lie beside it", async () => {
    const { open, files } = logFixture();
    await using log = await open();
    const batches = appendMany(log, 40);
    await log.flush();
    const [first, second] = log.segments();
    if (!first || !second) throw new Error("nothing rolled");
    expect(first.path).toBe("/data/topic-0/00000000000000000000.log");
    expect(second.baseOffset).toBe(first.nextOffset);
    const contents = await readFile({ files, arena }, first.path);
    expectBytes(contents ?? new Uint8Array(), bytesOf(batches.slice(0, first.nextOffset)));
    expect(first.sizeBytes).toBeLessThanOrEqual(smallConfig.segmentBytes);
    for (const extension of ["index", "timeindex"]) {
      expect(await files.exists(first.path.replace("log", extension))).toBe(true);
    }
  });

  test("a batch that comes segmentMs after the first one starts a new segment", async () => {
    await using log = await logFixture().open({
      config: { ...smallConfig, segmentMs: 1000, segmentJitterMs: 100 },
    });
    for (const [baseOffset, timestampMs] of [5000, 5900, 5901, 6000].entries()) {
      const batch = fakeBatch({ baseOffset, timestampsMs: [timestampMs] });
      log.append(batch.bytes, batch.header);
    }
    await log.flush();
    expect(log.segments().map((segment) => segment.baseOffset)).toEqual([0, 2]);
  });

  test("a full index seals its segment", async () => {
    await using log = await logFixture().open({
      config: { ...smallConfig, segmentBytes: 1 << 20, segmentIndexBytes: 60 },
    });
    const batches = appendMany(log, 60);
    await log.flush();
    await log.flush();
    appendMany(log, 1);
    await log.flush();
    expect(log.segments().length).toBeGreaterThan(1);
    expectBytes((await readAll(log)).subarray(0, bytesOf(batches).length), bytesOf(batches));
  });

  test("a batch larger than a segment and than a write gets a segment of its own", async () => {
    await using log = await logFixture().open();
    appendMany(log, 1);
    appendMany(log, 1, { fillerBytes: 50_000 });
    appendMany(log, 1);
    await log.flush();
    expect(log.segments().map((segment) => segment.baseOffset)).toEqual([0, 1, 2]);
    expect(await readAt(log, 1, { maxBytes: 1 })).toMatchObject({ firstOffset: 1, nextOffset: 2 });
  });
});

describe("reopening", () => {
  test("everything is there after a clean close, and more can follow", async () => {
    const { open } = logFixture();
    const batches = [];
    for (let round = 0; round < 5; round++) {
      await using log = await open();
      expect(log.nextOffset).toBe(round * 7);
      expect(log.flushedOffset).toBe(round * 7);
      batches.push(...appendMany(log, 7));
    }
    await using log = await open();
    expectBytes(await readAll(log), bytesOf(batches));
  });

  test("what was flushed is there without a close", async () => {
    const { open } = logFixture();
    const first = await open();
    const batches = appendMany(first, 33);
    await first.flush();
    await using log = await open();
    expect(log.nextOffset).toBe(33);
    expectBytes(await readAll(log), bytesOf(batches));
  });

  test("indexes that are missing are made anew", async () => {
    const { open, files } = logFixture();
    const batches = await (async () => {
      await using log = await open();
      return appendMany(log, 50);
    })();
    for (const name of await files.list("/data/topic-0")) {
      if (name.endsWith("index")) await files.remove(`/data/topic-0/${name}`);
    }
    await using log = await open();
    expect(await readAt(log, 20, { maxBytes: 1 })).toMatchObject({ firstOffset: 20 });
    expect(await log.offsetForTimestamp(1033)).toMatchObject({ offset: 33, timestampMs: 1033 });
    expectBytes(await readAll(log), bytesOf(batches));
  });
});
