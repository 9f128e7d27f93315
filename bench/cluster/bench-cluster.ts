import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startArguments } from "../load/start-command.ts";

const startMsMax = 60_000;
/** Below the ephemeral ports, so that no client is given a port that a killed node comes back to. */
const firstPort = 12_000 + (process.pid % 5_000);

interface Place {
  readonly nodeId: number;
  readonly port: number;
  readonly controllerPort: number;
}

/** One node as a process of its own. */
export class BenchNode {
  readonly nodeId: number;
  readonly port: number;
  readonly #arguments: readonly string[];
  readonly #logPath: string;
  #child: ChildProcess | undefined;

  constructor({ nodeId, port }: Place, options: { arguments: readonly string[]; logPath: string }) {
    this.nodeId = nodeId;
    this.port = port;
    this.#arguments = options.arguments;
    this.#logPath = options.logPath;
  }

  /** Of the process that runs now. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process and resolves when it serves. @throws Error where it ends instead */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [...this.#arguments], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    const log = createWriteStream(this.#logPath, { flags: "a" });
    child.once("close", () => log.end());
    const timeout = setTimeout(() => child.kill("SIGKILL"), startMsMax);
    try {
      await servingOf(child, log);
    } finally {
      clearTimeout(timeout);
    }
  }

  /** Sends the signal; the moment after is the moment of the kill. */
  kill(signal: "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(signal);
  }

  async ended(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    await once(child, "exit");
  }
}

/** Three nodes with an empty directory. */
export class BenchCluster implements AsyncDisposable {
  readonly nodes: readonly BenchNode[];

  static async start(
    directory: string,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<BenchCluster> {
    const places: Place[] = [];
    let port = firstPort;
    for (const nodeId of [1, 2, 3]) {
      port = await freePortFrom(port + 1);
      const controllerPort = await freePortFrom(port + 1);
      places.push({ nodeId, port, controllerPort });
      port = controllerPort;
    }
    await mkdir(directory, { recursive: true });
    const cluster = new BenchCluster(
      places.map((place) => {
        const logPath = join(directory, `node-${place.nodeId}.log`);
        return new BenchNode(place, {
          arguments: nodeArguments(place, { places, directory, settings }),
          logPath,
        });
      }),
    );
    try {
      await Promise.all(cluster.nodes.map((node) => node.start()));
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  private constructor(nodes: readonly BenchNode[]) {
    this.nodes = nodes;
  }

  node(nodeId: number): BenchNode {
    const node = this.nodes.find((candidate) => candidate.nodeId === nodeId);
    if (!node) throw new Error(`Cannot find node ${nodeId}`);
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) node.kill("SIGKILL");
    await Promise.all(this.nodes.map((node) => node.ended()));
  }
}

function nodeArguments(
  { nodeId, port, controllerPort }: Place,
  { places, directory, settings }: BenchPlan,
): string[] {
  const voters = places.map((place) => `${place.nodeId}@127.0.0.1:${place.controllerPort}`);
  const configs = {
    "process.roles": "broker,controller",
    "node.id": String(nodeId),
    "controller.quorum.voters": voters.join(","),
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": join(directory, `node-${nodeId}`),
    "min.insync.replicas": "2",
    "millrace.http.listener": "off",
    // Leadership moves only when a measurement moves it.
    "auto.leader.rebalance.enable": "false",
    ...settings,
  };
  return [...startArguments(), ...Object.entries(configs).map(([name, value]) => `--${name}=${value}`)];
}

interface BenchPlan {
  readonly places: readonly Place[];
  readonly directory: string;
  readonly settings: Readonly<Record<string, string>>;
}

async function servingOf(child: ChildProcess, log: WriteStream): Promise<void> {
  let last = "";
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on("line", (line) => {
        log.write(`${line}\n`);
        last = line;
        if (line.includes('"msg":"serving"')) resolve();
      });
    }
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      reject(new Error(`Cannot start a node: ended with ${signal ?? code}: ${last}`)),
    );
  });
}

async function freePortFrom(port: number): Promise<number> {
  for (let candidate = port; ; candidate++) {
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(candidate, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return candidate;
  }
}
