import { describe, expect, test } from "vitest";
import { BatchCache } from "#storage/cache/batch-cache.ts";
import { BufferArena } from "#storage/io/buffer-arena.ts";
import { CrashedError, crashModes, FaultyFileSystem } from "#storage/io/faulty-file.ts";
import type { FileSystem } from "#storage/io/file.ts";
import { DirtyBudget } from "#storage/log/dirty-budget.ts";
import { LogCorruptError } from "#storage/log/log-error.ts";
import { LogManager, type LogManagerOptions } from "#storage/log/log-manager.ts";
import { readFile } from "#storage/snapshots/small-file.ts";
import { fakeChecksum, fakeFormat } from "./fake-batch.ts";
import { appendMany, bytesOf, expectBytes, readAll, smallConfig } from "./log-fixture.ts";

const arena = new BufferArena({ bytesMax: 64 * 1024 * 1024 });

function manager(files: FileSystem, changed: Partial<LogManagerOptions> = {}): Promise<LogManager> {
  return LogManager.open({
    files,
    directory: "/data",
    format: fakeFormat,
    checksum: fakeChecksum,
    arena,
    cache: new BatchCache(0),
    dirty: new DirtyBudget(1 << 30),
    nowMs: () => 1000,
    ...changed,
  });
}

const orders = { topic: "my-orders", topicId: "AAAAAAAAAAAAAAAAAAAAAQ", partition: 3 };

describe("directories", () => {
  test("are named as Kafka's and tell their topic id", async () => {
    const files = new FaultyFileSystem();
    await using logs = await manager(files);
    const log = await logs.openLog(orders, smallConfig);
    expect(log.directory).toBe("/data/my-orders-3");
    expect(logs.find(orders)).toBe(log);
    const metadata = await readFile({ files, arena }, "/data/my-orders-3/partition.metadata");
    expect(new TextDecoder().decode(metadata)).toBe("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\n");
  });

  test("logs come back after a restart", async () => {
    const files = new FaultyFileSystem();
    const identities = Array.from({ length: 40 }, (_, partition) => ({ ...orders, partition }));
    const toOpen = identities.map((identity) => ({ identity, config: smallConfig }));
    {
      await using logs = await manager(files);
      await logs.openLogs(toOpen);
      for (const { partition, log } of logs.logs()) appendMany(log, partition);
    }
    await using logs = await manager(files);
    await logs.openLogs(toOpen);
    expect([...logs.logs()].map(({ partition, log }) => [partition, log.nextOffset])).toEqual(
      identities.map(({ partition }) => [partition, partition]),
    );
  });

  test("what is left of a deleted topic of the same name is not taken for the new one", async () => {
    const files = new FaultyFileSystem();
    {
      await using logs = await manager(files);
      appendMany(await logs.openLog(orders, smallConfig), 30);
    }
    await using logs = await manager(files);
    const log = await logs.openLog({ ...orders, topicId: "AAAAAAAAAAAAAAAAAAAAAg" }, smallConfig);
    expect(log.nextOffset).toBe(0);
    expect((await files.list(log.directory)).filter((name) => name.endsWith(".log"))).toEqual([]);
  });

  test("segments without a topic id are not judged", async () => {
    const files = new FaultyFileSystem();
    {
      await using logs = await manager(files);
      appendMany(await logs.openLog(orders, smallConfig), 3);
    }
    await files.remove("/data/my-orders-3/partition.metadata");
    await using logs = await manager(files);
    expect(await logs.removeStrangers(() => false)).toEqual([]);
    await expect(logs.openLog(orders, smallConfig)).rejects.toThrow(LogCorruptError);
    await using accepting = await manager(files, { acceptCorruption: true });
    expect((await accepting.openLog(orders, smallConfig)).nextOffset).toBe(3);
  });

  test("of partitions that nobody knows are removed", async () => {
    const files = new FaultyFileSystem();
    {
      await using logs = await manager(files);
      for (const partition of [0, 1, 2]) await logs.openLog({ ...orders, partition }, smallConfig);
    }
    await using logs = await manager(files);
    await logs.openLog({ ...orders, partition: 0 }, smallConfig);
    expect(await logs.removeStrangers(({ partition }) => partition === 1)).toEqual(["my-orders-2"]);
    expect(await files.list("/data")).toEqual(["my-orders-0", "my-orders-1", "recovery-points"]);
  });
});

describe("removal", () => {
  test("a topic can be made again at once", async () => {
    await using logs = await manager(new FaultyFileSystem());
    appendMany(await logs.openLog(orders, smallConfig), 10);
    await logs.remove(orders);
    expect(logs.find(orders)).toBeUndefined();
    const log = await logs.openLog({ ...orders, topicId: "AAAAAAAAAAAAAAAAAAAAAg" }, smallConfig);
    expect(log.nextOffset).toBe(0);
  });

  test("a crash at any of its changes leaves a log that opens, or that is known as a stranger, or nothing", async () => {
    for (const mode of crashModes) {
      for (let step = 1; ; step++) {
        let crashAt = Number.POSITIVE_INFINITY;
        let survivor: FaultyFileSystem | undefined;
        const files: FaultyFileSystem = new FaultyFileSystem({
          onChange: ({ number }, phase) => {
            if (number === crashAt && phase === "started")
              survivor = files.crash({ mode, random: () => 0.5 });
          },
        });
        const logs = await manager(files);
        const log = await logs.openLog(orders, smallConfig);
        appendMany(log, 30);
        await log.flush();
        crashAt = files.changes + step;
        await logs.remove(orders).catch((error: unknown) => {
          if (!(error instanceof CrashedError)) throw error;
        });
        if (!survivor) break;
        await using restarted = await manager(survivor);
        await restarted.removeStrangers(() => false);
        const again = await restarted.openLog({ ...orders, topicId: "AAAAAAAAAAAAAAAAAAAAAg" }, smallConfig);
        expect(again.nextOffset).toBe(0);
      }
    }
  });
});

describe("recovery points", () => {
  test("make damage below them known, which else could be a torn write", async () => {
    const files = new FaultyFileSystem();
    const logs = await manager(files);
    const log = await logs.openLog(orders, smallConfig);
    const batches = appendMany(log, 8);
    await log.flush();
    expect(await logs.checkpoint()).toEqual(new Map([[log, 8]]));
    files.rot(`${log.directory}/00000000000000000000.log`, 3000, 1);

    const restarted = await manager(files);
    await expect(restarted.openLog(orders, smallConfig)).rejects.toThrow(LogCorruptError);
    await using accepting = await manager(files, { acceptCorruption: true });
    await accepting.openLogs([{ identity: orders, config: smallConfig }]);
    const accepted = accepting.find(orders);
    expect(accepted?.nextOffset).toBe(2);
    if (accepted) expectBytes(await readAll(accepted), bytesOf(batches.slice(0, 2)));
    await using again = await manager(files);
    expect((await again.openLog(orders, smallConfig)).nextOffset).toBe(2);
  });

  test("of a log that was not opened this time stay", async () => {
    const files = new FaultyFileSystem();
    {
      await using logs = await manager(files);
      const log = await logs.openLog(orders, smallConfig);
      appendMany(log, 8);
    }
    {
      await using logs = await manager(files);
      await logs.openLog({ ...orders, partition: 9 }, smallConfig);
    }
    const path = "/data/my-orders-3/00000000000000000000.log";
    files.rot(path, 3000, 1);
    await (await files.open(path, "existing")).resize(20_000);
    await files.remove("/data/my-orders-3/checkpoint");
    await using logs = await manager(files);
    await expect(logs.openLog(orders, smallConfig)).rejects.toThrow(LogCorruptError);
  });
});

test("logs that are due for a flush are named", async () => {
  await using logs = await manager(new FaultyFileSystem());
  const [a, b] = [
    await logs.openLog({ ...orders, partition: 0 }, smallConfig),
    await logs.openLog({ ...orders, partition: 1 }, smallConfig),
  ];
  appendMany(a, 1);
  appendMany(b, 5);
  const limits = { nowMs: 1500, flushBytes: 4000, flushAfterMs: 1000, excessBytes: 0 };
  expect(logs.logsToFlush(limits)).toEqual([b]);
  expect(logs.logsToFlush({ ...limits, nowMs: 2000 })).toEqual([a, b]);
});
