import { describe, expect, test } from "vitest";
import { FaultyFileSystem } from "#storage/io/faulty-file.ts";
import type { Log, LogOptions } from "#storage/log/log.ts";
import { LogCorruptError } from "#storage/log/log-error.ts";
import { fakeBatch } from "./fake-batch.ts";
import { appendMany, bytesOf, expectBytes, logFixture, readAll, readAt, smallConfig } from "./log-fixture.ts";

const firstPath = "/data/topic-0/00000000000000000000.log";
/** One open segment whatever is written: no roll, no checkpoint. */
const oneSegment = {
  ...smallConfig,
  segmentBytes: 1 << 30,
  checkpointBytes: 1 << 30,
  writeBytesMax: 1 << 20,
};

/** Writes batches of about 1 KiB, then goes away without closing, as a crash does. */
async function written(count: number, changed: Partial<LogOptions> = {}) {
  const files = new FaultyFileSystem();
  const fixture = logFixture(files);
  const log = await fixture.open(changed);
  const batches = appendMany(log, count);
  await log.flush();
  const reopen = (options: Partial<LogOptions> = {}): Promise<Log> =>
    fixture.open({ ...changed, ...options });
  return { files, batches, log, reopen };
}

describe("the open segment", () => {
  test("a broken last batch is a torn write: it is cut, and the next one takes its place", async () => {
    const { files, batches, reopen } = await written(10, { config: oneSegment });
    files.rot(firstPath, bytesOf(batches).length - 5, 1);
    await using log = await reopen();
    expect([log.nextOffset, log.flushedOffset]).toEqual([9, 9]);
    expect(log.damage).toEqual([]);
    appendMany(log, 1);
    await log.flush();
    expectBytes(await readAll(log), bytesOf(batches));
  });

  test("a broken batch within reach of one torn write is cut, with all behind it", async () => {
    const { files, batches, reopen } = await written(10, { config: oneSegment });
    files.rot(firstPath, 3000, 1);
    await using log = await reopen();
    expect(log.nextOffset).toBe(2);
    expectBytes(await readAll(log), bytesOf(batches.slice(0, 2)));
  });

  test("the same break is damage when the offset was known to be durable", async () => {
    const { files, reopen } = await written(10, { config: oneSegment });
    files.rot(firstPath, 3000, 1);
    await expect(reopen({ durableOffset: 3 })).rejects.toThrow(LogCorruptError);
    await using log = await reopen({ durableOffset: 2 });
    expect(log.nextOffset).toBe(2);
  });

  test("a log that ends before its durable offset is damaged", async () => {
    const { log, reopen } = await written(10, { config: oneSegment });
    await log.close();
    await expect(reopen({ durableOffset: 11 })).rejects.toThrow("it ends at offset 10, 11 was durable");
  });

  test("an intact batch farther behind than one write reaches makes it damage", async () => {
    const files = new FaultyFileSystem();
    const { open } = logFixture(files);
    const log = await open({ config: oneSegment });
    for (let i = 0; i < 12; i++) appendMany(log, 1, { fillerBytes: 400_000 });
    await log.flush();
    files.rot(firstPath, 1000, 1);
    const error = await open({ config: oneSegment }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(LogCorruptError);
    expect(error).toMatchObject({ path: firstPath, position: 0 });
  });

  test("one torn batch larger than any usual write is cut", async () => {
    const files = new FaultyFileSystem();
    const { open } = logFixture(files);
    const log = await open({ config: oneSegment });
    appendMany(log, 2);
    appendMany(log, 1, { fillerBytes: 6_000_000 });
    await log.flush();
    files.rot(firstPath, 2_500_000, 1);
    await using reopened = await open({ config: oneSegment });
    expect(reopened.nextOffset).toBe(2);
  });

  test("damage before the checkpoint is not looked for at opening, and is reported by the read that meets it", async () => {
    const { files, log, reopen } = await written(10, { config: oneSegment });
    await log.checkpoint();
    appendMany(log, 5);
    await log.flush();
    files.rot(firstPath, 3000, 1);
    await using reopened = await reopen();
    expect(reopened.nextOffset).toBe(15);
    expect(await readAt(reopened, 0)).toMatchObject({ nextOffset: 2 });
    await expect(readAt(reopened, 2)).rejects.toMatchObject({ name: "LogCorruptError", path: firstPath });
    expect(await readAt(reopened, 5, { maxBytes: 1 })).toMatchObject({ firstOffset: 5 });
  });

  test("stale bytes behind the end are cut, so that they cannot come back", async () => {
    const { files, reopen } = await written(3, { config: oneSegment });
    const file = await files.open(firstPath, "existing");
    await file.resize(100_000);
    {
      await using log = await reopen();
      expect(log.nextOffset).toBe(3);
      expect(await file.sizeBytes()).toBeLessThan(4096);
    }
  });
});

describe("sealed segments", () => {
  test("one that is missing or short is damage", async () => {
    for (const harm of ["remove", "cut"] as const) {
      const { files, reopen } = await written(40);
      if (harm === "remove") await files.remove(firstPath);
      else await (await files.open(firstPath, "existing")).resize(5000);
      await expect(reopen()).rejects.toThrow(LogCorruptError);
    }
  });

  test("with acceptCorruption the rest is served, and the next start finds nothing wrong", async () => {
    const { files, batches, reopen } = await written(40);
    await files.remove(firstPath);
    let firstOffset = 0;
    {
      await using log = await reopen({ acceptCorruption: true });
      expect(log.damage).toHaveLength(1);
      expect(log.nextOffset).toBe(40);
      firstOffset = log.segments()[0]?.baseOffset ?? 0;
    }
    await using log = await reopen();
    expectBytes(await readAll(log, firstOffset), bytesOf(batches.slice(firstOffset)));
  });

  test("an index that leads astray is made anew", async () => {
    const { files, log, batches, reopen } = await written(40);
    await log.close();
    files.rot(firstPath.replace(".log", ".index"), 7, 1);
    await using reopened = await reopen();
    for (const offset of [1, 3, 5, 7, 9]) {
      expect(await readAt(reopened, offset, { maxBytes: 1 })).toMatchObject({ firstOffset: offset });
    }
    expectBytes(await readAll(reopened), bytesOf(batches));
  });

  test("a flipped bit is never served", async () => {
    const { files, reopen } = await written(40);
    files.rot(firstPath, 5000, 0x80);
    await using log = await reopen();
    await expect(readAll(log)).rejects.toThrow(LogCorruptError);
    await expect(log.scan(0, () => undefined)).rejects.toThrow(LogCorruptError);
  });
});

describe("the checkpoint", () => {
  test("a damaged one is damage; with acceptCorruption everything is read again", async () => {
    const { files, batches, log, reopen } = await written(40);
    await log.close();
    files.rot("/data/topic-0/checkpoint", 40, 1);
    await expect(reopen()).rejects.toThrow(LogCorruptError);
    {
      await using accepted = await reopen({ acceptCorruption: true });
      expectBytes(await readAll(accepted), bytesOf(batches));
    }
    await using again = await reopen();
    expectBytes(await readAll(again), bytesOf(batches));
  });

  test("a log that was trimmed to nothing keeps its next offset", async () => {
    const { log, reopen } = await written(20);
    await log.trimTo(20);
    expect(log.segments()).toEqual([]);
    await using reopened = await reopen();
    expect([reopened.startOffset, reopened.nextOffset, reopened.sizeBytes]).toEqual([20, 20, 0]);
    const batch = fakeBatch({ baseOffset: 20 });
    reopened.append(batch.bytes, batch.header);
    await reopened.flush();
    expect(reopened.segments()[0]?.baseOffset).toBe(20);
  });
});
