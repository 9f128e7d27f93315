import { describe, expect, test } from "vitest";
import {
  CrashedError,
  type CrashMode,
  crashModes,
  FaultyFileSystem,
  type FaultyFileSystemOptions,
} from "#storage/io/faulty-file.ts";
import type { Log } from "#storage/log/log.ts";
import { expectBytes, logFixture, readAll, smallConfig } from "./log-fixture.ts";
import { expectEpochs, LogModel, seededRandom } from "./log-model.ts";

const config = { ...smallConfig, segmentBytes: 10_000, retentionBytes: 25_000 };

/** Flush, roll, checkpoint, trim, retention, close and reopening, all in a few dozen kilobytes. */
async function workload(model: LogModel, open: () => Promise<Log>): Promise<void> {
  let log = await open();
  const flush = async () => {
    await log.flush();
    model.flushedOffset = log.flushedOffset;
  };
  model.appendTo(log, 3);
  await flush();
  for (let round = 0; round < 6; round++) {
    model.appendTo(log, 4 + round);
    await flush();
  }
  model.startOffsetMax = 13;
  await log.trimTo(13);
  model.startOffset = 13;
  model.appendTo(log, 5);
  model.startOffsetMax = model.nextOffset;
  await log.applyRetention({ nowMs: 0 });
  model.startOffset = model.startOffsetMax = log.startOffset;
  await log.close();
  model.flushedOffset = model.nextOffset;
  log = await open();
  model.appendTo(log, 2);
  await flush();
  await log.checkpoint();
  model.appendTo(log, 6);
  await flush();
  model.startOffsetMax = model.nextOffset;
  await log.trimTo(model.nextOffset);
  model.startOffset = model.nextOffset;
  model.appendTo(log, 3);
  await flush();
  await log.close();
}

async function checkRecovered(model: LogModel, files: FaultyFileSystem): Promise<void> {
  const { open } = logFixture(files);
  const options = { config, durableOffset: model.flushedOffset };
  let log = await open(options);
  expect(log.nextOffset).toBeGreaterThanOrEqual(model.flushedOffset);
  expect(log.startOffset).toBeGreaterThanOrEqual(model.startOffset);
  expect(log.startOffset).toBeLessThanOrEqual(model.startOffsetMax);
  expectBytes(await readAll(log), model.from(log.startOffset, log.nextOffset));

  model.replayInto(log);
  model.appendTo(log, 3);
  expectBytes(await readAll(log), model.from(log.startOffset));
  expectEpochs(model, log);
  await log.flush();
  const { startOffset } = log;
  if (model.committed.length % 2 === 0) await log.close();

  log = await open(options);
  expect([log.startOffset, log.nextOffset]).toEqual([startOffset, model.nextOffset]);
  expectBytes(await readAll(log), model.from(startOffset));
  expectEpochs(model, log);
}

/** Runs the workload up to one change; answers the disk as the next start finds it, undefined when it never came that far. */
async function crashAt(model: LogModel, at: { change: number; phase: "started" | "done"; mode: CrashMode }) {
  let survivor: FaultyFileSystem | undefined;
  const onChange: FaultyFileSystemOptions["onChange"] = (change, phase) => {
    if (change.number !== at.change || phase !== at.phase || survivor) return;
    survivor = files.crash({ mode: at.mode, random: seededRandom(at.change) });
  };
  const files = new FaultyFileSystem({ onChange });
  const { open } = logFixture(files);
  try {
    await workload(model, () => open({ config }));
  } catch (error) {
    if (!(error instanceof CrashedError)) throw error;
  }
  return survivor;
}

describe("a crash at every change of the disk", () => {
  test("the workload itself does what it is for", async () => {
    const files = new FaultyFileSystem();
    const model = new LogModel();
    const { open } = logFixture(files);
    await workload(model, () => open({ config }));
    expect(files.changes).toBeGreaterThan(100);
    expect((await files.list("/data/topic-0")).filter((name) => name.endsWith(".log"))).toHaveLength(1);
    await checkRecovered(model, files);
  });

  for (const mode of crashModes) {
    for (const phase of ["started", "done"] as const) {
      test(`${mode}, ${phase}: what was flushed is there, in order, once`, async () => {
        for (let change = 1; ; change++) {
          const model = new LogModel();
          const survivor = await crashAt(model, { change, phase, mode });
          if (!survivor) return;
          try {
            await checkRecovered(model, survivor);
          } catch (error) {
            throw new Error(`crash at change ${change}`, { cause: error });
          }
        }
      });
    }
  }
});
