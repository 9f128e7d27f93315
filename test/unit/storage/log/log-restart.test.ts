import { describe, expect, test } from "vitest";
import {
  CrashedError,
  type CrashMode,
  crashModes,
  FaultyFileSystem,
  type FaultyFileSystemOptions,
} from "#storage/io/faulty-file.ts";
import { LogClosedError, OffsetOutOfRangeError } from "#storage/log/log-error.ts";
import { fakeBatch } from "./fake-batch.ts";
import { appendMany, logFixture, readAll, readAt, smallConfig } from "./log-fixture.ts";
import { seededRandom } from "./log-model.ts";

const config = { ...smallConfig, segmentBytes: 5_000 };
const newStart = 1_000;
const newEpochs = [{ epoch: 7, startOffset: newStart }];

function appendAt(log: Parameters<typeof appendMany>[0], baseOffset: number, leaderEpoch = 7) {
  const batch = fakeBatch({ baseOffset, leaderEpoch });
  log.append(batch.bytes, batch.header);
  return batch;
}

describe("a log that begins anew", () => {
  test("is empty at its new start, and knows its epoch", async () => {
    const { open, dirty } = logFixture();
    await using log = await open({ config });
    appendMany(log, 12);
    await log.flush();
    appendMany(log, 3);
    await log.restartAt(newStart, newEpochs);
    expect([log.startOffset, log.flushedOffset, log.nextOffset, log.sizeBytes]).toEqual([
      newStart,
      newStart,
      newStart,
      0,
    ]);
    expect(dirty.bytes).toBe(0);
    expect(log.epochs()).toEqual(newEpochs);
    expect(log.epochAt(newStart)).toBe(7);
    expect(() => readAt(log, 3)).toThrow(OffsetOutOfRangeError);
  });

  test("takes batches from there on, and is found so by the next start", async () => {
    const { files, open } = logFixture();
    {
      await using log = await open({ config });
      appendMany(log, 12);
      await log.restartAt(newStart, newEpochs);
      appendAt(log, newStart);
      appendAt(log, newStart + 1, 9);
      await log.flush();
    }
    await using log = await open({ config, durableOffset: newStart + 2 });
    expect([log.startOffset, log.nextOffset]).toEqual([newStart, newStart + 2]);
    expect(log.epochs()).toEqual([...newEpochs, { epoch: 9, startOffset: newStart + 1 }]);
    expect(await readAll(log)).toHaveLength(2 * fakeBatch({ baseOffset: 0 }).bytes.length);
    const names = await files.list("/data/topic-0");
    expect(names.filter((name) => name.endsWith(".log"))).toEqual(["00000000000000001000.log"]);
  });

  test("tells a reader that is under way that its offset is gone", async () => {
    const { open } = logFixture();
    await using log = await open({ config });
    appendMany(log, 12);
    await log.flush();
    const reading = readAt(log, 2);
    const restart = log.restartAt(newStart, newEpochs);
    await expect(Promise.resolve(reading).then(() => "read", String)).resolves.toMatch(
      /read|OffsetOutOfRange/,
    );
    await restart;
    expect(() => readAt(log, 2)).toThrow(OffsetOutOfRangeError);
  });

  test("cannot be one that is closed", async () => {
    const { open } = logFixture();
    const log = await open({ config });
    await log.close();
    await expect(log.restartAt(newStart, newEpochs)).rejects.toBeInstanceOf(LogClosedError);
  });
});

/** Runs up to one change of the disk; answers the disk as the next start finds it, undefined when it never came that far. */
async function crashAt(at: { change: number; phase: "started" | "done"; mode: CrashMode }) {
  let survivor: FaultyFileSystem | undefined;
  let restartedAtChange = Number.POSITIVE_INFINITY;
  const onChange: FaultyFileSystemOptions["onChange"] = (change, phase) => {
    if (change.number !== at.change || phase !== at.phase || survivor) return;
    survivor = files.crash({ mode: at.mode, random: seededRandom(at.change) });
  };
  const files = new FaultyFileSystem({ onChange });
  const { open } = logFixture(files);
  try {
    const log = await open({ config });
    appendMany(log, 12);
    await log.flush();
    const before = files.changes;
    appendMany(log, 2);
    await log.restartAt(newStart, newEpochs);
    restartedAtChange = files.changes;
    appendAt(log, newStart);
    await log.flush();
    await log.close();
    expect(before).toBeLessThan(restartedAtChange);
  } catch (error) {
    if (!(error instanceof CrashedError)) throw error;
  }
  return survivor && { survivor, isRestarted: at.change > restartedAtChange };
}

describe("a crash at every change of the disk while a log begins anew", () => {
  for (const mode of crashModes) {
    for (const phase of ["started", "done"] as const) {
      test(`${mode}, ${phase}: it is the old log or the new one, never some of both`, async () => {
        const found = new Set<string>();
        for (let change = 1; ; change++) {
          const crashed = await crashAt({ change, phase, mode });
          if (!crashed) break;
          const { open } = logFixture(crashed.survivor);
          await using log = await open({ config });
          const isNew = log.startOffset === newStart;
          found.add(isNew ? "new" : "old");
          if (crashed.isRestarted) expect(isNew, `crash at change ${change}`).toBe(true);
          if (isNew) expect(log.epochs()[0]).toEqual(newEpochs[0]);
          else expect([log.startOffset, log.nextOffset <= 12]).toEqual([0, true]);
          await readAll(log);
          if (!isNew) await log.restartAt(newStart, newEpochs);
          if (log.nextOffset === newStart) appendAt(log, newStart);
          await log.flush();
          expect(log.nextOffset).toBe(newStart + 1);
        }
        expect([...found].sort()).toEqual(["new", "old"]);
      });
    }
  }
});
