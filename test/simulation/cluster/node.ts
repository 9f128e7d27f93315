import pino, { type Logger } from "pino";
import { Broker } from "#src/broker.ts";
import type { BrokerConfig } from "#src/config/broker-config.ts";
import { isCorruption } from "#src/errors.ts";
import type { CrashMode } from "#storage/io/faulty-file.ts";
import type { FileSystem } from "#storage/io/file.ts";
import { SimulatedClock } from "../world/clock.ts";
import type { SimulatedDisk } from "../world/disk.ts";
import { simulatedIdentity } from "../world/identity.ts";
import type { MemoryPool } from "../world/memory-pool.ts";
import type { SimulatedNetwork } from "../world/network.ts";
import { SimulatedProcess } from "../world/process.ts";
import type { RandomStreams } from "../world/random.ts";
import type { Scheduler } from "../world/scheduler.ts";
import type { Marks } from "./marks.ts";
import type { Violation } from "./violation.ts";

export interface NodeOptions {
  readonly host: string;
  readonly config: BrokerConfig;
  readonly scheduler: Scheduler;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  readonly streams: RandomStreams;
  readonly memory: MemoryPool;
  readonly marks: Marks;
  readonly onViolation: (violation: Violation) => void;
  /** Every line that the broker logs, as pino writes it, with the virtual time in ms. */
  readonly onLogLine?: ((host: string, line: string) => void) | undefined;
  /** Puts a bug between the broker and its disk. */
  readonly wrapFiles?: ((files: FileSystem) => FileSystem) | undefined;
}

/** Damage that a fault of ours explains is no violation: the broker is right to refuse, and may try again. */
const startAgainUs = 1_000_000;
/** Longest that a broker may live on after a change of its disk has failed. */
const failureUsMax = 10_000_000;
/** Longest that a start may take in virtual time while nothing is wrong with its disk. */
const startUsMax = 60_000_000;

type NodeState = "down" | "starting" | "serving" | "stopping";

/** One host with its disk and its broker, over all the broker's lives. */
export class SimulatedNode {
  readonly host: string;
  readonly disk: SimulatedDisk;
  /** What its wall clock is ahead of the true time, in ms. */
  wallSkewMs = 0;
  readonly #options: NodeOptions;
  #state: NodeState = "down";
  #life = 0;
  #process = new SimulatedProcess("none");
  #broker: Broker | undefined;
  #releaseMemory: () => void = () => undefined;
  /** Faults under way that leave no room: these explain a start that fails. */
  #fullCount = 0;
  /** Whose change of the disk has failed: that explains its end, and nothing explains that it goes on. */
  #failed: SimulatedProcess | undefined;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.host = options.host;
    this.disk = options.disk;
    this.disk.onFailure = () => this.#diskFailed();
  }

  get state(): NodeState {
    return this.#state;
  }

  /** How often it was started. */
  get life(): number {
    return this.#life;
  }

  /** The broker while it serves. */
  get broker(): Broker | undefined {
    return this.#state === "serving" ? this.#broker : undefined;
  }

  /** Whether it leads the cluster's metadata, as it believes. */
  get isController(): boolean {
    const { broker } = this;
    return broker !== undefined && broker.controllerId === broker.config.nodeId;
  }

  /** Partitions that it leads, as it believes. */
  get ledCount(): number {
    let count = 0;
    for (const { isLeader } of this.broker?.partitions.all() ?? []) if (isLeader) count += 1;
    return count;
  }

  get process(): SimulatedProcess {
    return this.#process;
  }

  /** The disk has little room from now on; the answer ends that. */
  fillDisk(): () => void {
    this.#fullCount += 1;
    return () => {
      this.#fullCount -= 1;
    };
  }

  #diskFailed(): void {
    const process = this.#process;
    this.#failed = process;
    this.#options.scheduler.schedule({ afterUs: failureUsMax, process, label: "overdue" }, () => {
      const isIgnored = this.#process === process && this.#state === "serving";
      if (isIgnored) this.#violate("failureIgnored", "the broker goes on after a change of its disk failed");
    });
  }

  get #hasDiskFailed(): boolean {
    return this.#failed === this.#process;
  }

  get #isDiskWell(): boolean {
    return !this.#hasDiskFailed && this.#fullCount === 0;
  }

  start(): void {
    if (this.#state !== "down") return;
    const { scheduler, network, host } = { ...this.#options, host: this.host };
    this.#life += 1;
    this.#state = "starting";
    network.setPower(host, true);
    const process = new SimulatedProcess(`${host}#${this.#life}`);
    this.#process = process;
    scheduler.schedule({ afterUs: 0, process, label: "start" }, () => this.#boot(process));
    scheduler.schedule({ afterUs: startUsMax, process: undefined, label: "overdue" }, () => {
      const isStuck = this.#process === process && this.#state === "starting" && !process.isPaused;
      if (isStuck && this.#isDiskWell) this.#violate("slowStart", "the broker does not serve");
    });
  }

  /** Ends the broker at once; `isPowerLost` also silences its host. */
  crash(mode: CrashMode, { isPowerLost }: { isPowerLost: boolean }): void {
    if (this.#state === "down") return;
    const { marks, network } = this.#options;
    if (this.disk.inFlight > 0) marks.reach("crash with writes in flight");
    if (this.#state === "starting" && this.#life > 1) marks.reach("crash during recovery");
    this.#process.die();
    if (isPowerLost) network.setPower(this.host, false);
    network.bury(this.#process);
    this.disk.crash(mode);
    this.#isDown();
  }

  /** Asks the broker to stop; it is down when it has. */
  stop(): void {
    const broker = this.#broker;
    if (this.#state !== "serving" || !broker) return;
    this.#state = "stopping";
    const process = this.#process;
    this.#options.scheduler.schedule({ afterUs: 0, process, label: "stop" }, () => {
      broker.close().then(
        () => this.#stopped(process),
        (error: unknown) => {
          if (!this.#hasDiskFailed) this.#violate("badStop", String(error));
          this.#stopped(process);
        },
      );
    });
  }

  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#options.scheduler.resume(this.#process);
  }

  #boot(process: SimulatedProcess): void {
    const { config, network, scheduler, streams, memory, wrapFiles = (files) => files } = this.#options;
    const { newMemory, release } = memory.lease();
    this.#releaseMemory = release;
    const clock = new SimulatedClock({
      scheduler,
      process,
      random: streams.stream(`timing/${this.host}`),
      wallStartMs: () => wallStartMs + this.wallSkewMs,
    });
    const files = wrapFiles(this.disk.openFor(process));
    const starting = files.makeDirectory(config.logDirectory).then(() =>
      Broker.start({
        config,
        files,
        newMemory,
        ports: {
          clock,
          identity: simulatedIdentity(streams.stream(`system/${this.host}`)),
          network: network.portOf({ host: this.host, process }),
          peers: network.peersOf({ host: this.host, process }),
        },
        logger: this.#logger(),
        onFatal: (error) => this.#ended(process, error),
      }),
    );
    starting.then(
      (broker) => {
        if (this.#process !== process || this.#state !== "starting") return;
        this.#broker = broker;
        this.#state = "serving";
      },
      (error: unknown) => this.#ended(process, error),
    );
  }

  /** The broker gave up, as it must where its disk cannot be trusted: the process ends and is started again. */
  #ended(process: SimulatedProcess, error: unknown): void {
    if (this.#process !== process || !process.isAlive) return;
    const { scheduler, network, marks } = this.#options;
    const isStarting = this.#state === "starting";
    const isExcused = this.#hasDiskFailed || (isStarting && !this.#isDiskWell);
    if (!isExcused) {
      const kind = isCorruption(error) ? "corruption" : "brokerEnded";
      this.#violate(kind, error instanceof Error ? `${error.message}${causeOf(error)}` : String(error));
    } else if (!isStarting) marks.reach("write failed and the broker ended");
    scheduler.schedule({ afterUs: 0, process: undefined, label: "exit" }, () => {
      if (this.#process !== process) return;
      process.die();
      network.bury(process);
      this.disk.crash("prefix");
      this.#isDown();
      scheduler.schedule({ afterUs: startAgainUs, process: undefined, label: "restart" }, () => this.start());
    });
  }

  #stopped(process: SimulatedProcess): void {
    if (this.#process !== process) return;
    const { scheduler, network, marks } = this.#options;
    marks.reach("graceful stop and start");
    // What is left of these would keep a real process from ending.
    const leftovers = scheduler.pendingOf(process).filter((label) => label === "timer");
    if (leftovers.length > 0)
      this.#violate("leftovers", `outlive the broker's stop: ${leftovers.join(", ")}`);
    scheduler.schedule({ afterUs: 0, process: undefined, label: "stopped" }, () => {
      if (this.#process !== process) return;
      process.die();
      network.bury(process);
      this.#isDown();
    });
  }

  #isDown(): void {
    this.#state = "down";
    // What a start reads wrong it may rightly take for a torn write: with one copy, that would be a loss of ours.
    this.disk.flipChance = 0;
    this.#broker = undefined;
    this.#releaseMemory();
    this.#releaseMemory = () => undefined;
  }

  #logger(): Logger {
    const { onLogLine } = this.#options;
    const stream = {
      write: (line: string) => {
        this.#markLine(line);
        onLogLine?.(this.host, line);
      },
    };
    return pino({ level: onLogLine ? "debug" : "info", timestamp: false, base: null }, stream);
  }

  /** What the broker tells its operator shows states that nothing else does. */
  #markLine(line: string): void {
    const { marks } = this.#options;
    if (line.includes("cut the journal's unfinished last write")) marks.reach("torn journal tail cut");
    else if (line.includes("produce waits")) marks.reach("produce waited for the disk");
    else if (line.includes("the disk is full")) marks.reach("disk full");
    else if (line.includes("removed expired segments")) marks.reach("segments removed by retention");
    else if (line.includes('"tornLogs":')) marks.reach("segment tail cut");
    else if (line.includes('"level":60')) this.#violate("fatalLine", line.trim());
    else if (line.includes("nobody foresaw")) this.#violate("unforeseen", line.trim());
  }

  #violate(kind: string, details: string): void {
    this.#options.onViolation({ kind, details: `${this.host}: ${details}` });
  }
}

/** True wall time when a run begins. */
export const wallStartMs = 1_700_000_000_000;

function causeOf({ cause }: Error): string {
  return cause instanceof Error ? ` (${cause.message})` : "";
}
