import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { preparePython } from "../clients/python-client.ts";
import { within } from "../integration/wait-until.ts";
import type { History } from "./history.ts";
import type { LoadTarget } from "./kafkajs-load.ts";

const program = fileURLToPath(new URL("python/load.py", import.meta.url));
const prepared = await preparePython({ module: "librdkafka", requirements: ["confluent-kafka==2.16.1"] });

/** Why librdkafka cannot run here; undefined where it can. */
export const librdkafkaMissing = prepared.kind === "missing" ? prepared.reason : undefined;

const keysPerWriter = 8;
const drainMsMax = 130_000;
const saidLengthMax = 20_000;

/** Load by librdkafka, in a process of its own: one idempotent producer, and members of a group. */
export class LibrdkafkaLoad {
  readonly group: string;
  readonly #history: History;
  readonly #child: ChildProcess;
  readonly #written: Promise<void>;
  readonly #closed: Promise<void>;
  /** The end of what it wrote to stderr: what its library says of the group. */
  #said = "";

  /** What it says goes to `logPath`. */
  constructor(
    target: LoadTarget,
    history: History,
    { members, group, logPath }: { members: number; group: string; logPath: string },
  ) {
    if (prepared.kind === "missing") throw new Error(`Cannot run librdkafka: ${prepared.reason}`);
    this.group = group;
    this.#history = history;
    const { bootstrapServers, topic, partitionCount, recordBytes } = target;
    this.#child = spawn(
      prepared.program.command,
      [
        program,
        ...[bootstrapServers.join(","), topic, "librdkafka", group],
        ...[members, partitionCount, keysPerWriter, recordBytes].map(String),
      ],
      { stdio: ["pipe", "pipe", "pipe"] },
    );
    const { stdout, stderr, stdin } = this.#child;
    stdin?.on("error", () => undefined);
    const log = createWriteStream(logPath);
    log.on("error", () => undefined);
    stderr?.pipe(log);
    stderr?.on("data", (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString()).slice(-saidLengthMax);
    });
    this.#written = new Promise((resolve) => {
      if (stdout) createInterface({ input: stdout }).on("line", (line) => this.#hear(line, resolve));
    });
    this.#closed = new Promise((resolve) => this.#child.once("close", () => resolve()));
  }

  /** Resolves when all that was begun is acknowledged, or given up. */
  async stopWriting(): Promise<void> {
    this.#child.stdin?.write("stop\n");
    const ended = this.#closed.then(() => {
      throw new Error(`Cannot hear of librdkafka's records: it ended: ${this.#said.slice(-4_000)}`);
    });
    ended.catch(() => undefined);
    await within("librdkafka's last records", Promise.race([this.#written, ended]), drainMsMax);
  }

  /** What it is doing, for somebody who looks for a fault. */
  async describe(): Promise<string> {
    this.#child.stdin?.write("stacks\n");
    await sleep(500);
    return this.#said;
  }

  async close(): Promise<void> {
    this.#child.stdin?.write("close\n");
    await within("librdkafka's end", this.#closed, 40_000).catch(() => this.#child.kill("SIGKILL"));
    await this.#closed;
  }

  #hear(line: string, resolve: () => void): void {
    const [kind, ...rest] = JSON.parse(line) as [string, ...unknown[]];
    switch (kind) {
      case "a": {
        const [key, sequence, partition, offset] = rest as [string, number, number, number | null];
        this.#history.acknowledge({ key, sequence }, { partition, offset });
        return;
      }
      case "u": {
        const [key, sequence, reason] = rest as [string, number, string];
        this.#history.giveUp({ key, sequence }, reason);
        return;
      }
      case "r": {
        const [partition, offset, value] = rest as [number, number, string];
        this.#history.consume(this.group, { partition, offset }, value);
        return;
      }
      case "c": {
        const [partition, offset] = rest as [number, number];
        this.#history.commit(this.group, { partition, offset });
        return;
      }
      case "f":
        this.#history.violate(String(rest[0]));
        return;
      case "w":
        resolve();
    }
  }
}
