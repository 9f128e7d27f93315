import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How a process ended: one of the two is null. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** What a child process tells; nothing after `ended`. */
export interface ChildEvents {
  /** A line that it wrote. */
  line(text: string): void;
  /** What it sent over its channel. */
  message(value: unknown): void;
  /** It is gone, and all its lines were told. */
  ended(end: ProcessEnd): void;
}

export interface ChildProcess {
  readonly pid: number;
  signal(signal: "SIGTERM" | "SIGKILL"): void;
}

/** Begins a process; that it cannot is told as its end. */
export type StartChild = (args: readonly string[], events: ChildEvents) => ChildProcess;

/**
 * Starts processes that run the same program as this one with other arguments.
 *
 * They are out of the terminal's reach: Ctrl-C is this process's to pass on. Their channel ends with this process, by
 * which they learn that it has.
 */
export function startSameProgram(program: readonly string[]): StartChild {
  return (args, events) => {
    const child = spawn(process.execPath, [...process.execArgv, ...program, ...args], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", (line) => events.line(line));
    }
    child.on("message", (value: unknown) => events.message(value));
    child.once("error", (error) => {
      events.line(error.message);
      // One that never ran has no "close".
      if (child.pid === undefined) events.ended({ code: 1, signal: null });
    });
    child.once("close", (code, signal) => events.ended({ code, signal }));
    return {
      pid: child.pid ?? 0,
      signal: (signal) => void child.kill(signal),
    };
  };
}
