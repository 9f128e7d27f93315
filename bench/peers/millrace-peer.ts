import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { findFreePort } from "#src/runtime/free-port.ts";
import { startArguments } from "../load/start-command.ts";
import type { Peer, RunningPeer } from "./peer.ts";

const startMsMax = 30_000;

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  readonly httpPort: number;
}

/** Millrace as `npm start` runs it, with its defaults; several nodes have what Kafka's script gives its own. */
export function millracePeer(nodeArguments: readonly string[], nodes: number): Peer {
  return {
    name: "millrace",
    missing: undefined,
    start: (directory) => start(directory, nodeArguments, nodes),
  };
}

async function start(
  directory: string,
  nodeArguments: readonly string[],
  nodes: number,
): Promise<RunningPeer> {
  const controllerPorts = await Promise.all(Array.from({ length: nodes }, () => findFreePort("127.0.0.1")));
  const beganMs = performance.now();
  const launchAll = (ports: readonly number[]): Promise<readonly Started[]> =>
    allOrNone(
      controllerPorts.map((_, index) => {
        const flags = flagsOf({ directory, index, controllerPorts, port: ports[index] ?? 0 });
        return launch([...startArguments(nodeArguments), ...flags]);
      }),
    );
  let started = await launchAll([]);
  const startMs = performance.now() - beganMs;
  return {
    get address() {
      return { host: "127.0.0.1", port: started[0]?.port ?? 0 };
    },
    get pids() {
      return started.map(({ child }) => child.pid ?? 0);
    },
    get metrics() {
      return started.map(({ httpPort }) => `http://127.0.0.1:${httpPort}/metrics`);
    },
    startMs,
    // Its files are read past the page cache, so a new process has nothing of them in memory.
    makeCold: async () => {
      const ports = started.map(({ port }) => port);
      await stopAll(started);
      started = await launchAll(ports);
    },
    [Symbol.asyncDispose]: () => stopAll(started),
  };
}

function flagsOf(node: {
  directory: string;
  index: number;
  controllerPorts: readonly number[];
  port: number;
}): readonly string[] {
  const { directory, index, controllerPorts, port } = node;
  const listener = `PLAINTEXT://127.0.0.1:${port}`;
  const http = "--millrace.http.listener=127.0.0.1:0";
  if (controllerPorts.length === 1) return [`--listeners=${listener}`, `--log.dirs=${directory}`, http];
  const voters = controllerPorts.map((controllerPort, other) => `${other + 1}@127.0.0.1:${controllerPort}`);
  return [
    `--node.id=${index + 1}`,
    `--listeners=${listener},CONTROLLER://127.0.0.1:${controllerPorts[index]}`,
    `--controller.quorum.voters=${voters.join(",")}`,
    `--log.dirs=${directory}/node-${index + 1}`,
    `--default.replication.factor=${voters.length}`,
    "--min.insync.replicas=2",
    http,
  ];
}

async function launch(args: readonly string[]): Promise<Started> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const timeout = setTimeout(() => child.kill("SIGKILL"), startMsMax);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const entry: unknown = JSON.parse(line);
      if (!isServing(entry)) continue;
      child.stdout.resume();
      return { child, port: entry.listeners[0].port, httpPort: entry.httpPort };
    }
  } finally {
    clearTimeout(timeout);
  }
  throw new Error("Cannot start Millrace: it ended before it served");
}

/** Where one does not start, the others are stopped. @throws Error of the first that did not */
async function allOrNone(starting: readonly Promise<Started>[]): Promise<readonly Started[]> {
  const results = await Promise.allSettled(starting);
  const started = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = results.find((result) => result.status === "rejected");
  if (!failed) return started;
  await stopAll(started);
  throw failed.reason;
}

async function stopAll(started: readonly Started[]): Promise<void> {
  await Promise.all(started.map(({ child }) => stop(child)));
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timeout = setTimeout(() => child.kill("SIGKILL"), startMsMax);
  await ended;
  clearTimeout(timeout);
}

function isServing(
  entry: unknown,
): entry is { msg: "serving"; listeners: [{ port: number }]; httpPort: number } {
  return typeof entry === "object" && entry !== null && "msg" in entry && entry.msg === "serving";
}
