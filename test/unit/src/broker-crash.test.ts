import { expect, test } from "vitest";
import {
  type CrashMode,
  crashModes,
  type DiskChange,
  FaultyFileSystem,
  type FaultyFileSystemOptions,
} from "#storage/io/faulty-file.ts";
import { seededRandom } from "../storage/seeded-random.ts";
import { BrokerWorld } from "./broker-world.ts";
import { BrokerModel } from "./crash-model.ts";
import { CrashWorkload } from "./crash-workload.ts";
import { FakeClock } from "./runtime/fake-clock.ts";

/** Histories in the normal run; more, or others, by environment. */
const seedCount = Number(process.env.MILLRACE_CRASH_SEEDS ?? 15);
const firstSeed = Number(process.env.MILLRACE_CRASH_FIRST_SEED ?? 1);

const livesPerHistory = 3;
const stepsPerLife = 25;
/** Changes of the disk in a life, roughly: crashes fall anywhere in it. */
const changesPerLife = 450;

const config = {
  "millrace.journal.files.max": "4",
  "millrace.dirty.bytes.max": String(2 << 20),
  "log.retention.check.interval.ms": "5000",
  "auto.create.topics.enable": "false",
};

/** How a life ended. */
type End = "crashed" | "killed" | "closed";

/** One data directory over several lives of its broker. */
class History {
  readonly ends: string[] = [];
  readonly #random: () => number;
  readonly #model = new BrokerModel();
  #files = new FaultyFileSystem();
  #startedMs = 1_700_000_000_000;
  #number = 0;
  #clock = new FakeClock(this.#startedMs);
  #onChange: ((change: DiskChange, phase: "started" | "done") => void) | undefined;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#files = new FaultyFileSystem(this.#diskOptions());
  }

  async run(): Promise<void> {
    for (let life = 0; life < livesPerHistory; life++) await this.#live(stepsPerLife);
    // The last one ends in peace and shows that there is nothing left to lose.
    await this.#live(0);
  }

  async #live(steps: number): Promise<void> {
    const clock = new FakeClock(this.#startedMs);
    this.#clock = clock;
    const mode = crashModes[Math.floor(this.#random() * crashModes.length)] ?? "torn";
    const crashed = steps > 0 ? this.#armCrash(mode) : new Promise<End>(() => undefined);
    const end = await Promise.race([this.#serve(clock, steps, mode), crashed]);
    clock.stop();
    this.#onChange = undefined;
    this.#startedMs = clock.nowMs();
    this.ends.push(`${end} (${mode})`);
  }

  async #serve(clock: FakeClock, steps: number, mode: CrashMode): Promise<End> {
    const files = this.#files;
    const world = await BrokerWorld.start({
      files,
      clock,
      config,
      seed: Math.floor(this.#random() * 2 ** 31),
    });
    await this.#model.check(world);
    const workload = new CrashWorkload(world, this.#model, {
      random: this.#random,
      nextNumber: () => ++this.#number,
    });
    await workload.run(steps);
    expect(world.fatal).toEqual([]);
    if (this.#random() < 0.5 || steps === 0) {
      await world[Symbol.asyncDispose]();
      expect(clock.timerCount, "timers that outlive the broker").toBe(0);
      return "closed";
    }
    this.#onChange = undefined;
    this.#files = files.crash({ mode, random: this.#random }, this.#diskOptions());
    return "killed";
  }

  /** Cuts the power at some change of the disk, or while it is under way; resolves when that has happened. */
  #armCrash(mode: CrashMode): Promise<End> {
    const at = 1 + Math.floor(this.#random() * changesPerLife);
    const moment = Math.floor(this.#random() * 3);
    const inPhase = moment === 0 ? "done" : "started";
    return new Promise((resolve) => {
      let count = 0;
      const crash = () => {
        this.#onChange = undefined;
        this.#files = this.#files.crash({ mode, random: this.#random }, this.#diskOptions());
        resolve("crashed");
      };
      this.#onChange = (_change, phase) => {
        if (phase === inPhase) count += 1;
        if (count !== at || phase !== inPhase) return;
        if (moment === 2) this.#clock.soon(crash);
        else crash();
      };
    });
  }

  #diskOptions(): FaultyFileSystemOptions {
    return {
      onChange: (change, phase) => this.#onChange?.(change, phase),
      settle: () => this.#turns(Math.floor(this.#random() * 4)),
    };
  }

  /** Lets others run meanwhile: who acknowledges too early is seen only where writes take their time. */
  #turns(count: number): Promise<void> {
    if (count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#clock.soon(() => resolve(this.#turns(count - 1))));
  }
}

test.each(Array.from({ length: seedCount }, (_, at) => firstSeed + at))(
  "seed %i: what was acknowledged survives crashes, in order and once",
  async (seed) => {
    const history = new History(seed);
    try {
      await history.run();
    } catch (error) {
      throw new Error(`Seed ${seed}, lives: ${history.ends.join(", ")}`, { cause: error });
    }
  },
  60_000,
);
