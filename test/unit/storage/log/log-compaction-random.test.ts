import fc from "fast-check";
import { expect, test } from "vitest";
import { CrashedError, crashModes, FaultyFileSystem } from "#storage/io/faulty-file.ts";
import type { Log } from "#storage/log/log.ts";
import { seededRandom } from "../seeded-random.ts";
import { compactionAt, KeyedModel, keyedConfig, keyedOptions } from "./keyed-log.ts";
import { logFixture } from "./log-fixture.ts";

const codec = fc.constantFrom("none", "gzip", "snappy", "lz4", "zstd");
const part = fc.double({ min: 0, max: 1, noNaN: true });
const record = fc.record({
  key: fc.option(fc.constantFrom("a", "b", "c", "d", "e", "f", "g"), { freq: 20 }),
  value: fc.option(fc.integer({ min: 0, max: 900 }), { freq: 5 }),
});
const run = { keys: fc.constantFrom(2, 5, 1000), passMs: fc.nat(1500) };
const operation = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      batches: fc.array(fc.array(record, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
      codec,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("flush" as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("compact" as const), ...run }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("seal" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("trim" as const), part }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reopen" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("crash" as const),
      mode: fc.constantFrom(...crashModes),
      turns: fc.nat(600),
      seed: fc.nat(),
      ...run,
    }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** One compacted log and the model of what it must hold, driven by random operations. */
class Run {
  readonly #model = new KeyedModel();
  readonly #cacheBytes: number;
  #files = new FaultyFileSystem();
  #log: Log;
  #nowMs = 10_000;

  static async start(cacheBytes: number): Promise<Run> {
    const files = new FaultyFileSystem();
    return new Run(files, cacheBytes, await logFixture(files, cacheBytes).open(keyedOptions));
  }

  private constructor(files: FaultyFileSystem, cacheBytes: number, log: Log) {
    this.#files = files;
    this.#cacheBytes = cacheBytes;
    this.#log = log;
  }

  async step(operation: Operation): Promise<void> {
    const [log, model] = [this.#log, this.#model];
    switch (operation.kind) {
      case "append":
        for (const batch of operation.batches) {
          const records = batch.map(({ key, value }) => ({
            key,
            value: value === null ? null : "v".repeat(value),
          }));
          model.append(log, records, { compression: operation.codec, timestampMs: this.#nowMs });
        }
        return;
      case "flush":
        return log.flush();
      case "compact":
        return this.#compact(operation);
      case "seal":
        log.updateConfig({ ...log.config, segmentMs: 0 });
        await log.sealAged({ nowMs: Number.MAX_SAFE_INTEGER });
        return log.updateConfig(keyedConfig);
      case "trim": {
        const { startOffset, nextOffset } = log;
        return log.trimTo(startOffset + Math.floor((operation.part * (nextOffset - startOffset)) / 2));
      }
      case "reopen":
        await log.close();
        return this.#open();
      case "crash":
        return this.#crash(operation);
      default:
        operation satisfies never;
    }
  }

  async check(): Promise<void> {
    expect(this.#log.nextOffset).toBe(Math.max(this.#model.nextOffset, this.#log.startOffset));
    await this.#model.expectLegal(this.#log, this.#nowMs);
  }

  #request({ keys, passMs }: { keys: number; passMs: number }) {
    this.#nowMs += passMs;
    return compactionAt(this.#nowMs, { keyMapBytes: keys * 24, keyMapLoadFactor: 1 });
  }

  async #compact(operation: { keys: number; passMs: number }): Promise<void> {
    const report = await this.#model.compact(this.#log, this.#request(operation));
    const found = await this.#model.expectLegal(this.#log, this.#nowMs);
    if (report) this.#model.expectClean(found, report.cleanedOffset);
  }

  async #open(): Promise<void> {
    const options = { ...keyedOptions, durableOffset: this.#model.flushedOffset };
    this.#log = await logFixture(this.#files, this.#cacheBytes).open(options);
    this.#model.replayInto(this.#log);
  }

  async #crash(operation: Operation & { kind: "crash" }): Promise<void> {
    const log = this.#log;
    const working = Promise.all([this.#model.compact(log, this.#request(operation)), log.flush()]).catch(
      (error: unknown) => {
        if (!(error instanceof CrashedError)) throw error;
      },
    );
    for (let turn = 0; turn < operation.turns; turn++) await Promise.resolve();
    this.#model.flushedOffset = log.flushedOffset;
    this.#files = this.#files.crash({ mode: operation.mode, random: seededRandom(operation.seed) });
    await working;
    await this.#open();
    await this.check();
  }
}

test.each([0, 30_000])(
  "random operations, runs and crashes leave what a simple model says, cache of %i bytes",
  async (cacheBytes) => {
    const operations = fc.array(operation, { minLength: 10, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(operations, async (steps) => {
        const run = await Run.start(cacheBytes);
        for (const step of steps) await run.step(step);
        await run.check();
      }),
      { numRuns: 150 },
    );
  },
);
