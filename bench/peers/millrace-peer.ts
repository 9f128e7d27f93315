import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { startArguments } from "../load/start-command.ts";
import type { Peer, RunningPeer } from "./peer.ts";

const startMsMax = 30_000;

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  readonly startMs: number;
}

/** Millrace as `npm start` runs it, with its defaults. */
export function millracePeer(nodeArguments: readonly string[]): Peer {
  return { name: "millrace", missing: undefined, start: (directory) => start(directory, nodeArguments) };
}

async function start(directory: string, nodeArguments: readonly string[]): Promise<RunningPeer> {
  let started = await launch(directory, nodeArguments, 0);
  const { startMs } = started;
  return {
    get address() {
      return { host: "127.0.0.1", port: started.port };
    },
    get pid() {
      return started.child.pid ?? 0;
    },
    startMs,
    // Its files are read past the page cache, so a new process has nothing of them in memory.
    makeCold: async () => {
      await stop(started.child);
      started = await launch(directory, nodeArguments, started.port);
    },
    [Symbol.asyncDispose]: () => stop(started.child),
  };
}

async function launch(directory: string, nodeArguments: readonly string[], port: number): Promise<Started> {
  const beganMs = performance.now();
  const child = spawn(
    process.execPath,
    [
      ...startArguments(nodeArguments),
      `--listeners=PLAINTEXT://127.0.0.1:${port}`,
      `--log.dirs=${directory}`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const timeout = setTimeout(() => child.kill("SIGKILL"), startMsMax);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const entry: unknown = JSON.parse(line);
      if (!isServing(entry)) continue;
      const startMs = performance.now() - beganMs;
      child.stdout.resume();
      return { child, port: entry.listeners[0].port, startMs };
    }
  } finally {
    clearTimeout(timeout);
  }
  throw new Error("Cannot start Millrace: it ended before it served");
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timeout = setTimeout(() => child.kill("SIGKILL"), startMsMax);
  await ended;
  clearTimeout(timeout);
}

function isServing(entry: unknown): entry is { msg: "serving"; listeners: [{ port: number }] } {
  return typeof entry === "object" && entry !== null && "msg" in entry && entry.msg === "serving";
}
