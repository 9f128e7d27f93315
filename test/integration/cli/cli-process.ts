import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The command as the package installs it. */
export const binPath = `${root}package/millrace.js`;

/** What a finished command left. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `millrace` as a process of its own. */
export class CliProcess {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  #stdout = "";
  #stderr = "";

  constructor(
    args: readonly string[],
    options: {
      readonly input?: string;
      readonly node?: string;
      readonly environment?: NodeJS.ProcessEnv;
    } = {},
  ) {
    const { input, node = process.execPath, environment = {} } = options;
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("MILLRACE_"));
    this.child = spawn(node, [binPath, ...args], {
      cwd: root,
      env: { ...Object.fromEntries(own), ...environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (chunk: Buffer) => {
      this.#stdout += chunk.toString();
    });
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.child.stdin?.on("error", () => undefined);
    if (input !== undefined) this.child.stdin?.end(input);
    this.finished = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code, signal) => {
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }
}

/** Runs one command to its end, with nothing to read unless given. */
export async function runCli(
  args: readonly string[],
  options: ConstructorParameters<typeof CliProcess>[1] = {},
): Promise<Finished> {
  return await new CliProcess(args, { input: "", ...options }).finished;
}
