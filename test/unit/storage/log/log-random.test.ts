import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CrashedError, crashModes, FaultyFileSystem } from "#storage/io/faulty-file.ts";
import type { Log, LogOptions } from "#storage/log/log.ts";
import { fakeBatch, fakeChecksum, fakeFormat } from "./fake-batch.ts";
import { kafkaBatch, kafkaChecksum, kafkaFormat } from "./kafka-batch.ts";
import { expectBytes, logFixture, readAll, readAt, smallConfig } from "./log-fixture.ts";
import { expectEpochs, LogModel, seededRandom } from "./log-model.ts";

const formats = {
  fake: { format: fakeFormat, checksum: fakeChecksum, make: fakeBatch },
  kafka: { format: kafkaFormat, checksum: kafkaChecksum, make: kafkaBatch },
} as const;

const part = fc.double({ min: 0, max: 1, noNaN: true });
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("append" as const), count: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("flush" as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("read" as const), part, maxBytes: fc.nat(20_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("trim" as const), part }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("retention" as const), bytes: fc.nat(60_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("checkpoint" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reopen" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("crash" as const),
      mode: fc.constantFrom(...crashModes),
      during: fc.constantFrom("flush" as const, "checkpoint" as const, "trim" as const, "close" as const),
      turns: fc.nat(120),
      seed: fc.nat(),
    }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** One log and the model of what it must hold, driven by random operations. */
class Run {
  readonly #options: Partial<LogOptions>;
  readonly #cacheBytes: number;
  readonly #model: LogModel;
  #files = new FaultyFileSystem();
  #log: Log;

  static async start(name: keyof typeof formats, cacheBytes: number): Promise<Run> {
    const { format, checksum, make } = formats[name];
    const options = { format, checksum, config: { ...smallConfig, segmentBytes: 12_000 } };
    const files = new FaultyFileSystem();
    return new Run(
      options,
      cacheBytes,
      new LogModel(make),
      files,
      await logFixture(files, cacheBytes).open(options),
    );
  }

  private constructor(
    options: Partial<LogOptions>,
    cacheBytes: number,
    model: LogModel,
    files: FaultyFileSystem,
    log: Log,
  ) {
    this.#options = options;
    this.#cacheBytes = cacheBytes;
    this.#model = model;
    this.#files = files;
    this.#log = log;
  }

  async step(operation: Operation): Promise<void> {
    const [log, model] = [this.#log, this.#model];
    switch (operation.kind) {
      case "append":
        return model.appendTo(log, operation.count);
      case "flush":
        return log.flush();
      case "read":
        return this.#read(operation);
      case "trim":
        return log.trimTo(this.#offsetAt(operation.part));
      case "retention":
        log.updateConfig({ ...log.config, retentionBytes: operation.bytes });
        await log.applyRetention({ nowMs: 0 });
        return;
      case "checkpoint":
        return log.checkpoint();
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
    const [log, model] = [this.#log, this.#model];
    expect(log.nextOffset).toBe(Math.max(model.nextOffset, log.startOffset));
    expect(log.startOffset).toBeGreaterThanOrEqual(model.startOffset);
    expectBytes(await readAll(log), model.from(log.startOffset));
    expectEpochs(model, log);
  }

  async #open(): Promise<void> {
    const options = { ...this.#options, durableOffset: this.#model.flushedOffset };
    this.#log = await logFixture(this.#files, this.#cacheBytes).open(options);
    this.#model.replayInto(this.#log);
  }

  async #read({ part, maxBytes }: { part: number; maxBytes: number }): Promise<void> {
    const offset = this.#offsetAt(part);
    const slice = await readAt(this.#log, offset, { maxBytes });
    if (offset === this.#log.nextOffset) return expect(slice.batchCount).toBe(0) as undefined;
    expect(slice.firstOffset).toBe(offset);
    const expected = this.#model.from(offset, slice.nextOffset);
    expectBytes(Buffer.concat(slice.chunks), expected);
    expect(slice.sizeBytes).toBe(expected.length);
    if (slice.batchCount > 1) expect(slice.sizeBytes).toBeLessThanOrEqual(maxBytes);
  }

  async #crash(operation: Operation & { kind: "crash" }): Promise<void> {
    const log = this.#log;
    const changing = {
      flush: () => log.flush(),
      checkpoint: () => log.checkpoint(),
      trim: () => log.trimTo(this.#offsetAt(0.7)),
      close: () => log.close(),
    }
      [operation.during]()
      .catch((error: unknown) => {
        if (!(error instanceof CrashedError)) throw error;
      });
    for (let turn = 0; turn < operation.turns; turn++) await Promise.resolve();
    // What the log claims at this moment is what its owner may rely on.
    this.#model.flushedOffset = log.flushedOffset;
    this.#model.startOffset = log.startOffset;
    this.#files = this.#files.crash({ mode: operation.mode, random: seededRandom(operation.seed) });
    await changing;
    await this.#open();
    await this.check();
  }

  #offsetAt(part: number): number {
    const { startOffset, nextOffset } = this.#log;
    return startOffset + Math.round(part * (nextOffset - startOffset));
  }
}

describe("random operations and crashes leave what a simple model says", () => {
  for (const name of ["fake", "kafka"] as const) {
    for (const cacheBytes of [0, 30_000]) {
      test(`${name} batches, cache of ${cacheBytes} bytes`, async () => {
        const operations = fc.array(operation, { minLength: 5, maxLength: 60 });
        await fc.assert(
          fc.asyncProperty(operations, async (steps) => {
            const run = await Run.start(name, cacheBytes);
            for (const step of steps) await run.step(step);
            await run.check();
          }),
          { numRuns: 150 },
        );
      });
    }
  }
});
