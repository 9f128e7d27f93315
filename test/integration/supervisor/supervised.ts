import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { waitUntil, within } from "../wait-until.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const startMsMax = 60_000;
const stopMsMax = 30_000;

/** `start` with several nodes, as a process. */
export class Supervised implements AsyncDisposable {
  /** What it wrote, to either stream. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;

  constructor(args: readonly string[]) {
    this.#child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "src/main.ts", "--millrace.http.listener=off", ...args],
      { cwd: root, env: environment(), stdio: ["ignore", "pipe", "pipe"] },
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", (line) => this.lines.push(line));
    }
    this.#ended = new Promise((resolve) => this.#child.once("close", resolve));
  }

  /** The exit code. */
  get ended(): Promise<number | null> {
    return within("the supervisor's end", this.#ended, stopMsMax);
  }

  /** The first line that contains `what`. */
  async until(what: string): Promise<string> {
    const found = () => this.lines.find((line) => line.includes(what));
    return await waitUntil(what, found, startMsMax).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.lines.slice(-30).join("\n")}`);
    });
  }

  /** Process ids as a local cluster has told them, by node id. */
  pidOf(nodeId: number): number {
    const line = this.lines.find((text) => text.startsWith(`  node ${nodeId} `));
    return Number(/ pid (\d+) /.exec(line ?? "")?.[1]);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGTERM");
    await this.ended;
  }
}

/** The broker takes configs from `MILLRACE_…`, where the tests have settings of their own. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("MILLRACE_")));
}
