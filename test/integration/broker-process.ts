import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { within } from "./wait-until.ts";

/** One line of the broker's log; lines that are not JSON have only `msg`. */
export interface LogLine {
  readonly level?: number;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface BrokerProcessOptions {
  readonly logDirectory: string;
  /** 0, any free one, unless given. A broker that is to be restarted under load needs one of `freePort`. */
  readonly port?: number;
  /** Further settings under Kafka's names. */
  readonly config?: Readonly<Record<string, string>>;
  /** Node's own arguments, such as a heap limit. */
  readonly nodeArguments?: readonly string[];
}

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Another program that keeps to the same contract can stand in for the broker. */
const main = process.env.MILLRACE_TEST_MAIN ?? "src/main.ts";

const startMsMax = 30_000;
const stopMsMax = 20_000;
const logLinesMax = 2_000;

/** The real broker as a process of its own, which a test may kill and start again on the same directory. */
export class BrokerProcess implements AsyncDisposable {
  readonly options: BrokerProcessOptions;
  readonly #log: LogLine[] = [];
  #child: ChildProcess;
  #exit: Promise<ProcessExit>;
  #ended: ProcessExit | undefined;
  #mayEnd = false;
  #hasToldOfDeath = false;
  #port: number;

  /** Starts the broker and waits until it serves. @throws Error with the end of its log when it does not */
  static async start(options: BrokerProcessOptions): Promise<BrokerProcess> {
    const broker = new BrokerProcess(options);
    await broker.#untilServing();
    return broker;
  }

  /** Runs a broker that is expected to refuse: waits for its end, ends it when it serves instead. */
  static async runToExit(options: BrokerProcessOptions): Promise<{ exit: ProcessExit; log: string }> {
    const broker = new BrokerProcess(options);
    broker.#mayEnd = true;
    const serving = broker.#untilServing().then(
      () => true,
      () => false,
    );
    if (await serving) {
      await broker.kill();
      throw new Error(`Cannot see the broker refuse "${options.logDirectory}": it serves`);
    }
    return { exit: await broker.#exit, log: broker.logTail() };
  }

  private constructor(options: BrokerProcessOptions) {
    this.options = options;
    this.#port = options.port ?? 0;
    this.#child = this.#spawn();
    this.#exit = this.#watch(this.#child);
  }

  get port(): number {
    return this.#port;
  }

  get bootstrapServers(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get isRunning(): boolean {
    return !this.#ended;
  }

  /** Lines of the log, of all lives of the process, oldest first. */
  get log(): readonly LogLine[] {
    return this.#log;
  }

  logTail(lines = 40): string {
    return this.#log
      .slice(-lines)
      .map((line) => JSON.stringify(line))
      .join("\n");
  }

  /** Memory that the process holds now, in bytes; undefined where the platform has no /proc. */
  residentBytes(): number | undefined {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
    } catch {
      return undefined;
    }
  }

  /** Files and sockets that the process has open now; undefined where the platform has no /proc. */
  openFileCount(): number | undefined {
    try {
      return readdirSync(`/proc/${this.#child.pid}/fd`).length;
    } catch {
      return undefined;
    }
  }

  /** @throws Error with the end of the log when the process ended though nobody asked it to */
  assertAlive(): void {
    if (!this.#ended || this.#mayEnd) return;
    const { code, signal } = this.#ended;
    // The log belongs to the test during which it happened; the ones after it only fail.
    const log = this.#hasToldOfDeath ? "see the first failure" : this.logTail();
    this.#hasToldOfDeath = true;
    throw new Error(`Broker ended unexpectedly with ${signal ?? code}:\n${log}`);
  }

  /** Ends the process as a crash does, with no chance to write anything more. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks the process to end and waits for it. */
  async terminate(): Promise<ProcessExit> {
    return await this.#end("SIGTERM");
  }

  /** Starts again on the same directory and port after `kill` or `terminate`. */
  async start(): Promise<void> {
    if (!this.#ended) throw new Error("Cannot start the broker: it runs");
    this.#ended = undefined;
    this.#mayEnd = false;
    this.#child = this.#spawn();
    this.#exit = this.#watch(this.#child);
    await this.#untilServing();
  }

  /** Starts again and crashes after so many milliseconds, served or not. */
  async startAndKill(afterMs: number): Promise<void> {
    // What the start comes to is of no interest: it is to be broken off.
    const start = this.start().catch(() => undefined);
    await sleep(afterMs);
    await this.kill();
    await start;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.assertAlive();
    if (!this.#ended) await this.terminate();
  }

  async #end(signal: NodeJS.Signals): Promise<ProcessExit> {
    this.assertAlive();
    this.#mayEnd = true;
    this.#child.kill(signal);
    try {
      return await within(`broker's end after ${signal}`, this.#exit, stopMsMax);
    } catch (error) {
      this.#child.kill("SIGKILL");
      await this.#exit;
      throw new Error(`${String(error)}\n${this.logTail()}`, { cause: error });
    }
  }

  #spawn(): ChildProcess {
    const { logDirectory, config = {}, nodeArguments = [] } = this.options;
    const settings = Object.entries(config).map(([key, value]) => `--${key}=${value}`);
    const listeners = `--listeners=PLAINTEXT://127.0.0.1:${this.#port}`;
    return spawn(
      process.execPath,
      [
        "--disable-warning=ExperimentalWarning",
        ...nodeArguments,
        main,
        listeners,
        `--log.dirs=${logDirectory}`,
        ...settings,
      ],
      { cwd: root, env: brokerEnvironment(), stdio: ["ignore", "pipe", "pipe"] },
    );
  }

  #watch(child: ChildProcess): Promise<ProcessExit> {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", (line) => this.#remember(line));
    }
    return new Promise<ProcessExit>((resolve) => {
      // "close" and not "exit": the last lines of the log are those that matter.
      child.once("close", (code, signal) => {
        if (child === this.#child) this.#ended = { code, signal };
        resolve({ code, signal });
      });
      child.once("error", (error) => this.#remember(String(error)));
    });
  }

  #remember(line: string): void {
    this.#log.push(parseLogLine(line));
    if (this.#log.length > logLinesMax) this.#log.shift();
    this.#onLine?.();
  }

  #onLine: (() => void) | undefined;

  async #untilServing(): Promise<void> {
    const from = this.#log.length;
    const serving = new Promise<void>((resolve) => {
      this.#onLine = () => {
        const port = servedPort(this.#log.at(-1));
        if (port === undefined) return;
        this.#port = port;
        this.#onLine = undefined;
        resolve();
      };
    });
    const ended = this.#exit.then(({ code, signal }) => {
      const lines = this.#log.slice(from).map((line) => JSON.stringify(line));
      throw new Error(`Cannot start the broker: it ended with ${signal ?? code}:\n${lines.join("\n")}`);
    });
    try {
      await within("broker serving", Promise.race([serving, ended]), startMsMax);
    } catch (error) {
      this.#mayEnd = true;
      if (this.#ended) throw error;
      this.#child.kill("SIGKILL");
      throw new Error(`${String(error)}\n${this.logTail()}`, { cause: error });
    } finally {
      ended.catch(() => undefined);
    }
  }
}

/** The broker takes configs from `MILLRACE_…`, where the tests have settings of their own. */
function brokerEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("MILLRACE_")));
}

function parseLogLine(line: string): LogLine {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === "object" && parsed !== null) return parsed as LogLine;
  } catch {
    // Not one of pino's: a stack trace of Node itself, say.
  }
  return { msg: line };
}

/** The port in the line that says that the broker serves. */
function servedPort(line: LogLine | undefined): number | undefined {
  if (line?.msg !== "serving" || !Array.isArray(line.listeners)) return undefined;
  const [listener] = line.listeners as { port?: number }[];
  return listener?.port;
}
