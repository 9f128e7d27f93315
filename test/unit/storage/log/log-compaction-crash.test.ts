import { describe, expect, test } from "vitest";
import {
  CrashedError,
  type CrashMode,
  crashModes,
  FaultyFileSystem,
  type FaultyFileSystemOptions,
} from "#storage/io/faulty-file.ts";
import type { Log } from "#storage/log/log.ts";
import { seededRandom } from "../seeded-random.ts";
import { compactionAt, KeyedModel, keyedConfig, keyedOptions } from "./keyed-log.ts";
import { logFixture } from "./log-fixture.ts";

const config = { ...keyedConfig, segmentBytes: 4000 };
const filler = "x".repeat(700);

/** Two runs over what the one before left and what came since, a trim between, with flushes beside them. */
async function workload(model: KeyedModel, open: () => Promise<Log>): Promise<void> {
  const log = await open();
  await fill(model, log, 14);
  await model.compact(log, compactionAt(0));
  await fill(model, log, 8);
  model.startOffsetMax = 3;
  await log.trimTo(3);
  model.startOffset = 3;
  await Promise.all([model.compact(log, compactionAt(500)), fill(model, log, 6)]);
  await log.close();
}

async function fill(model: KeyedModel, log: Log, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const n = model.nextOffset;
    model.append(log, [{ key: `k${n % 4}`, value: n % 7 === 0 ? null : `${n}-${filler}` }]);
  }
  await log.flush();
  model.flushedOffset = log.flushedOffset;
}

async function checkRecovered(model: KeyedModel, files: FaultyFileSystem): Promise<void> {
  const { open } = logFixture(files);
  const options = { ...keyedOptions, config, durableOffset: model.flushedOffset };
  let log = await open(options);
  expect(log.damage).toEqual([]);
  expect(log.nextOffset).toBeGreaterThanOrEqual(model.flushedOffset);
  expect(log.startOffset).toBeGreaterThanOrEqual(model.startOffset);
  expect(log.startOffset).toBeLessThanOrEqual(model.startOffsetMax);
  await expectNoStrangers(log, files);
  model.replayInto(log);
  await model.expectLegal(log, 500);

  await fill(model, log, 4);
  const report = await model.compact(log, compactionAt(500));
  const found = await model.expectLegal(log, 500);
  model.expectClean(found, report?.cleanedOffset ?? 0);
  if (model.batches.length % 2 === 0) await log.close();

  log = await open({ ...options, durableOffset: model.flushedOffset });
  expect(await model.expectLegal(log, 500)).toEqual(found);
  await expectNoStrangers(log, files);
}

/** Segment files that are not part of the log would be found again, and doubted, at every start. */
async function expectNoStrangers(log: Log, files: FaultyFileSystem): Promise<void> {
  const names = (await files.list(log.directory)).filter((name) => /^\d{20}\./.test(name));
  const known = log.segments().map(({ path }) => path.slice(log.directory.length + 1));
  expect(names.filter((name) => name.endsWith(".log")).sort()).toEqual(known.sort());
  const strays = names.filter((name) => !known.includes(name.replace(/\.(time)?index$/, ".log")));
  expect(strays).toEqual([]);
}

async function crashAt(
  model: KeyedModel,
  at: { change: number; phase: "started" | "done"; mode: CrashMode },
): Promise<FaultyFileSystem | undefined> {
  let survivor: FaultyFileSystem | undefined;
  const onChange: FaultyFileSystemOptions["onChange"] = (change, phase) => {
    if (change.number !== at.change || phase !== at.phase || survivor) return;
    survivor = files.crash({ mode: at.mode, random: seededRandom(at.change) });
  };
  const files = new FaultyFileSystem({ onChange });
  try {
    await workload(model, () => logFixture(files).open({ ...keyedOptions, config }));
  } catch (error) {
    if (!(error instanceof CrashedError)) throw error;
  }
  return survivor;
}

describe("a crash at every change of the disk", () => {
  test("the workload itself does what it is for", async () => {
    const files = new FaultyFileSystem();
    const model = new KeyedModel();
    await workload(model, () => logFixture(files).open({ ...keyedOptions, config }));
    expect(files.changes).toBeGreaterThan(100);
    const names = await files.list("/data/topic-0");
    expect(names.filter((name) => /^\d{20}\.2\.log$/.test(name))).not.toEqual([]);
    await checkRecovered(model, files);
  });

  for (const mode of crashModes) {
    for (const phase of ["started", "done"] as const) {
      test(`${mode}, ${phase}: the old segments are there or the new ones, never both or none`, async () => {
        for (let change = 1; ; change++) {
          const model = new KeyedModel();
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
