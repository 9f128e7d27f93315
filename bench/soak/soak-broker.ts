import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Address } from "../load/load-connection.ts";
import { startArguments } from "../load/start-command.ts";
import { BrokerLog } from "./broker-log.ts";
import { brokerConfigs, type Ending } from "./soak-plan.ts";

const host = "127.0.0.1";
/** Below the ports that outgoing connections get: nobody takes them while the broker is down. */
const port = 19_692;
const httpPort = 19_644;
const startMsMax = 60_000;
const stopMsMax = 60_000;

/** One process of the broker; times are those of `performance.now()`. */
export interface Life {
  readonly number: number;
  readonly begunMs: number;
  readonly pid: number | undefined;
  /** When clients were served first. */
  servingMs: number | undefined;
  /** When it was told to end, or ended by itself. */
  endedMs: number | undefined;
  ending: Ending | "died" | undefined;
  exitCode: number | null;
}

/** The broker over its lives: always the same directory and the same ports. */
export class SoakBroker implements AsyncDisposable {
  readonly address: Address = { host, port };
  readonly metricsUrl = `http://${host}:${httpPort}/metrics`;
  readonly dataDirectory: string;
  readonly lives: Life[] = [];
  readonly log = new BrokerLog();
  readonly #logFile: WriteStream;
  readonly #onDeath: (error: Error) => void;
  #child: ChildProcess | undefined;

  /** Starts the first life with an empty directory. @throws Error */
  static async start(directory: string, onDeath: (error: Error) => void): Promise<SoakBroker> {
    await mkdir(directory, { recursive: true });
    const broker = new SoakBroker(directory, onDeath);
    await broker.start();
    return broker;
  }

  private constructor(directory: string, onDeath: (error: Error) => void) {
    this.dataDirectory = join(directory, "data");
    this.#logFile = createWriteStream(join(directory, "broker.log"));
    this.#onDeath = onDeath;
  }

  /** The life that serves now; undefined between two of them. */
  get life(): Life | undefined {
    const life = this.lives.at(-1);
    return life?.servingMs !== undefined && life.endedMs === undefined ? life : undefined;
  }

  /** Resolves when clients are served. @throws Error when it ends before */
  async start(): Promise<void> {
    const configs = Object.entries(brokerConfigs).map(([name, value]) => `--${name}=${value}`);
    const begunMs = performance.now();
    const child = spawn(
      process.execPath,
      [
        ...startArguments(),
        `--listeners=PLAINTEXT://${host}:${port}`,
        `--millrace.http.listener=${host}:${httpPort}`,
        `--log.dirs=${this.dataDirectory}`,
        ...configs,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    this.#child = child;
    const life: Life = {
      number: this.lives.length + 1,
      begunMs,
      pid: child.pid,
      servingMs: undefined,
      endedMs: undefined,
      ending: undefined,
      exitCode: null,
    };
    this.lives.push(life);
    child.once("exit", (code) => this.#ended(life, code));
    await this.#untilServing(child, life);
  }

  /** Ends the life in order, or at once, and waits until the process is gone. */
  async end(ending: Ending): Promise<void> {
    const life = this.lives.at(-1);
    const child = this.#child;
    if (!child || !life || hasExited(child)) return;
    life.ending = ending;
    life.endedMs = performance.now();
    const exited = once(child, "exit");
    child.kill(ending === "stop" ? "SIGTERM" : "SIGKILL");
    const timeout = setTimeout(() => child.kill("SIGKILL"), stopMsMax);
    await exited;
    clearTimeout(timeout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("stop");
    this.#logFile.end();
  }

  #ended(life: Life, code: number | null): void {
    life.exitCode = code;
    if (life.ending !== undefined) return;
    life.ending = "died";
    life.endedMs = performance.now();
    this.#onDeath(
      new Error(`Cannot go on: the broker ended by itself with code ${code}: ${this.log.errors.at(-1)}`),
    );
  }

  #untilServing(child: ChildProcess, life: Life): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (): void => reject(new Error("Cannot start the broker: it ended before it served"));
      const timeout = setTimeout(() => child.kill("SIGKILL"), startMsMax);
      child.once("exit", failed);
      if (!child.stdout) return failed();
      createInterface({ input: child.stdout }).on("line", (line) => {
        this.#logFile.write(`${line}\n`);
        if (this.log.take(line) !== "serving" || life.servingMs !== undefined) return;
        life.servingMs = performance.now();
        clearTimeout(timeout);
        child.removeListener("exit", failed);
        resolve();
      });
    });
  }
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
