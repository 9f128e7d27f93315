import { describe, expect, test } from "vitest";
import { batchOverheadBytes } from "#storage/cache/batch-cache.ts";
import { FaultyFileSystem } from "#storage/io/faulty-file.ts";
import { DirtyBudget } from "#storage/log/dirty-budget.ts";
import { LogClosedError } from "#storage/log/log-error.ts";
import { appendMany, bytesOf, expectBytes, logFixture, readAll, smallConfig } from "./log-fixture.ts";

describe("a full disk", () => {
  test("keeps everything dirty and readable, and a later flush succeeds", async () => {
    let isFull = false;
    const files = new FaultyFileSystem({
      failChange: ({ kind }) => (isFull && kind === "write" ? "full" : undefined),
    });
    const { open, dirty } = logFixture(files);
    await using log = await open();
    const batches = appendMany(log, 20);
    await log.flush();
    isFull = true;
    batches.push(...appendMany(log, 20));
    await expect(log.flush()).rejects.toMatchObject({ code: "full" });
    await expect(log.flush()).rejects.toMatchObject({ code: "full" });
    expect(log.nextOffset).toBe(40);
    expect(dirty.bytes).toBe(log.dirtyBytes);
    expectBytes(await readAll(log), bytesOf(batches));

    isFull = false;
    batches.push(...appendMany(log, 5));
    await log.flush();
    expect([log.flushedOffset, dirty.bytes]).toEqual([45, 0]);
    expectBytes(await readAll(log), bytesOf(batches));
    expectBytes(await readAll(await open()), bytesOf(batches));
  });

  test("at any one change of a flush, a roll, a checkpoint or a trim loses nothing", async () => {
    for (let failing = 1; ; failing++) {
      let hasFailed = false;
      const files = new FaultyFileSystem({
        failChange: (change) => {
          if (change.number !== failing || change.kind === "makeDirectory") return undefined;
          hasFailed = true;
          return "full";
        },
      });
      const { open } = logFixture(files);
      const log = await open();
      const batches = appendMany(log, 30);
      const retried = async (change: () => Promise<unknown>) => {
        await change().catch(() => change());
      };
      await retried(() => log.flush());
      await retried(() => log.checkpoint());
      await retried(() => log.trimTo(17));
      batches.push(...appendMany(log, 30));
      await retried(() => log.flush());
      const expected = bytesOf(batches.slice(17));
      expectBytes(await readAll(log), expected);
      // Syncing what was found past the checkpoint is a change too: the start that it fails is tried again.
      const reopened = await open({ durableOffset: 60 }).catch(() => open({ durableOffset: 60 }));
      expect(reopened.startOffset).toBe(17);
      expectBytes(await readAll(reopened), expected);
      if (!hasFailed && failing > 1) return;
    }
  });
});

test("after an I/O error no flush is tried again, and reads go on", async () => {
  let failures = 0;
  const files = new FaultyFileSystem({
    failChange: ({ kind }) => {
      if (kind !== "write") return undefined;
      failures++;
      return "io";
    },
  });
  const log = await logFixture(files).open();
  const batches = appendMany(log, 3);
  await expect(log.flush()).rejects.toMatchObject({ code: "io" });
  await expect(log.flush()).rejects.toMatchObject({ code: "io" });
  await expect(log.trimTo(1)).rejects.toMatchObject({ code: "io" });
  expect(failures).toBe(1);
  expectBytes(await readAll(log), bytesOf(batches));
});

test("a read error is the reader's alone", async () => {
  let isFailing = false;
  const files = new FaultyFileSystem({ onRead: () => (isFailing ? "io" : undefined) });
  await using log = await logFixture(files).open();
  const batches = appendMany(log, 3);
  await log.flush();
  isFailing = true;
  await expect(readAll(log)).rejects.toMatchObject({ code: "io" });
  isFailing = false;
  expectBytes(await readAll(log), bytesOf(batches));
});

test("the dirty budget counts what is not flushed, over all logs", async () => {
  const fixture = logFixture();
  const dirty = new DirtyBudget(11_000 + 8 * batchOverheadBytes);
  const [a, b] = [
    await fixture.open({ dirty, directory: "/data/a-0" }),
    await fixture.open({ dirty, directory: "/data/b-0" }),
  ];
  appendMany(a, 6);
  expect(dirty.isOver).toBe(false);
  appendMany(b, 6);
  expect(dirty.bytes).toBe(a.dirtyBytes + b.dirtyBytes);
  expect(dirty.isOver).toBe(true);
  const waiting = dirty.whenBelow();
  await a.flush();
  await waiting;
  await b.abandon();
  expect(dirty.bytes).toBe(0);
});

test("flushes that are asked for at the same time share their writes", async () => {
  const files = new FaultyFileSystem();
  await using log = await logFixture(files).open({
    config: { ...smallConfig, writeBytesMax: 1 << 20, segmentBytes: 1 << 20 },
  });
  appendMany(log, 1);
  await log.flush();
  const before = files.changes;
  const flushes = [];
  for (let i = 0; i < 10; i++) {
    appendMany(log, 1);
    flushes.push(log.flush());
  }
  await Promise.all(flushes);
  expect(log.flushedOffset).toBe(11);
  expect(files.changes - before).toBeLessThanOrEqual(2);
});

test("a closed log refuses everything", async () => {
  const log = await logFixture().open();
  await log.close();
  expect(() => appendMany(log, 1)).toThrow(LogClosedError);
  expect(() => log.read({ offset: 0, maxBytes: 1, upToOffset: 0, atLeastOneBatch: true })).toThrow(
    LogClosedError,
  );
  await expect(log.flush()).rejects.toThrow(LogClosedError);
  await log.close();
});

test("a removed log leaves no directory", async () => {
  const { open, files } = logFixture();
  const log = await open();
  appendMany(log, 30);
  await Promise.all([log.flush(), log.remove()]);
  expect(await files.exists(log.directory)).toBe(false);
});
