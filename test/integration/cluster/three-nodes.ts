import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { freePort } from "../free-port.ts";
import { waitUntil } from "../wait-until.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const logLinesMax = 5_000;

/** What of a cluster's layout a test may have otherwise. */
export interface ClusterLayout {
  /** The port at which node `from` is told to reach node `to`, which listens at `port`; that one, unless told. */
  readonly route?: (link: {
    readonly from: number;
    readonly to: number;
    readonly port: number;
  }) => Promise<number>;
  /** Where a node's data lies; beside its properties file, unless told. */
  readonly dataDirectory?: (nodeId: number) => string | undefined;
  /** None, unless told. */
  readonly rackOf?: (nodeId: number) => string;
}

/** One node of a cluster, as a process that may be killed and started again. */
export class ClusterNode {
  readonly nodeId: number;
  readonly port: number;
  readonly #propertiesPath: string;
  readonly #log: string[] = [];
  #child: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);

  constructor(place: { nodeId: number; port: number; propertiesPath: string }) {
    this.nodeId = place.nodeId;
    this.port = place.port;
    this.#propertiesPath = place.propertiesPath;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Lines of the log since the last start. */
  get log(): readonly string[] {
    return this.#log;
  }

  /** Starts the process; `untilServing` tells when it serves. */
  start(...flags: readonly string[]): void {
    this.#log.length = 0;
    const child = spawn(
      process.execPath,
      [
        "--disable-warning=ExperimentalWarning",
        "src/main.ts",
        "--config",
        this.#propertiesPath,
        "--millrace.http.listener=off",
        ...flags,
      ],
      { cwd: root, env: environment(), stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#child = child;
    // All lives of the node, for whoever has to find out what happened.
    const logFile = createWriteStream(join(dirname(this.#propertiesPath), "node.log"), { flags: "a" });
    logFile.on("error", () => undefined);
    child.once("close", () => logFile.end());
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        logFile.write(`${line}\n`);
        this.#log.push(line);
        if (this.#log.length > logLinesMax) this.#log.shift();
      });
    }
    this.#ended = new Promise((resolve) => {
      child.once("close", (code) => {
        if (this.#child === child) this.#child = undefined;
        resolve(code);
      });
    });
  }

  get isServing(): boolean {
    return this.isRunning && this.#log.some((line) => line.includes('"msg":"serving"'));
  }

  async untilServing(): Promise<void> {
    await waitUntil(
      `node ${this.nodeId} serving`,
      () => {
        if (!this.isRunning) throw new Error(`Node ${this.nodeId} ended:\n${this.#log.join("\n")}`);
        return this.#log.some((line) => line.includes('"msg":"serving"'));
      },
      60_000,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.#log.slice(-30).join("\n")}`);
    });
  }

  /** Ends the process as a crash does. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  /** Asks the process to end; answers its exit code. */
  async terminate(): Promise<number | null> {
    this.#child?.kill("SIGTERM");
    return await this.#ended;
  }

  /** Stops the process without ending it, or lets it go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(signal);
  }
}

/** Three nodes with the properties files that Apache Kafka's own would have. */
export class ThreeNodes implements AsyncDisposable {
  readonly nodes: readonly ClusterNode[];

  /** Writes the files and starts all nodes; resolves when all serve. */
  static async start(
    directory: string,
    settings: Readonly<Record<string, string>> = {},
    layout: ClusterLayout = {},
  ): Promise<ThreeNodes> {
    const cluster = new ThreeNodes(await writeFiles(directory, settings, layout));
    for (const node of cluster.nodes) node.start();
    try {
      await Promise.all(cluster.nodes.map((node) => node.untilServing()));
    } catch (error) {
      await cluster.kill();
      throw error;
    }
    return cluster;
  }

  private constructor(nodes: readonly ClusterNode[]) {
    this.nodes = nodes;
  }

  get bootstrapServers(): string[] {
    return this.nodes.map(({ address }) => address);
  }

  node(nodeId: number): ClusterNode {
    const node = this.nodes.find((candidate) => candidate.nodeId === nodeId);
    if (!node) throw new Error(`Cannot find node ${nodeId}`);
    return node;
  }

  async kill(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
  }

  /** The logs of all nodes, for a test that failed. */
  logTail(lines = 30): string {
    return this.nodes
      .map((node) => `--- node ${node.nodeId}\n${node.log.slice(-lines).join("\n")}`)
      .join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

async function writeFiles(
  directory: string,
  settings: Readonly<Record<string, string>>,
  { route, dataDirectory, rackOf }: ClusterLayout,
): Promise<ClusterNode[]> {
  const places: { nodeId: number; port: number; controllerPort: number }[] = [];
  for (const nodeId of [1, 2, 3]) {
    places.push({ nodeId, port: await freePort(), controllerPort: await freePort() });
  }
  return await Promise.all(
    places.map(async ({ nodeId, port, controllerPort }) => {
      const voters = await Promise.all(
        places.map(async ({ nodeId: to, controllerPort: own }) => {
          const reached = to === nodeId ? own : await route?.({ from: nodeId, to, port: own });
          return `${to}@127.0.0.1:${reached ?? own}`;
        }),
      );
      const home = join(directory, `node-${nodeId}`);
      await mkdir(home, { recursive: true });
      const propertiesPath = join(home, "server.properties");
      const lines = [
        "process.roles=broker,controller",
        `node.id=${nodeId}`,
        `controller.quorum.voters=${voters.join(",")}`,
        `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
        `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name=PLAINTEXT",
        "controller.listener.names=CONTROLLER",
        `log.dirs=${dataDirectory?.(nodeId) ?? join(home, "data")}`,
        ...(rackOf ? [`broker.rack=${rackOf(nodeId)}`] : []),
        "num.partitions=1",
        "default.replication.factor=3",
        "min.insync.replicas=2",
        "offsets.topic.replication.factor=3",
        "transaction.state.log.replication.factor=3",
        "transaction.state.log.min.isr=2",
        "share.coordinator.state.topic.replication.factor=3",
        "share.coordinator.state.topic.min.isr=2",
        "group.initial.rebalance.delay.ms=0",
        ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
      ];
      await writeFile(propertiesPath, lines.join("\n"));
      return new ClusterNode({ nodeId, port, propertiesPath });
    }),
  );
}

function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("MILLRACE_")));
}
