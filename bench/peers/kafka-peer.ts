import { execFile, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ageMs } from "../load/broker-process.ts";
import type { Peer, RunningPeer } from "./peer.ts";

const run = promisify(execFile);

/** The script that comes with the project's surroundings; a clone alone does not have it. */
const script = join(import.meta.dirname, "..", "..", "..", "shared", "peers", "kafka");
const startMsMax = 120_000;
const port = 19_592;

/** Apache Kafka 4.3.1 with its defaults, or with an fsync before each answer. */
export function kafkaPeer(name: "kafka" | "kafka-fsync", nodes: number): Peer {
  const flush = name === "kafka-fsync" ? ["--flush"] : [];
  // Three of them share this machine's memory.
  const heap = nodes > 1 ? ["--heap", "512m"] : [];
  return {
    name,
    missing: missing(),
    start: (directory) => start(directory, nodes, [...flush, ...heap]),
  };
}

function missing(): string | undefined {
  if (!existsSync(script)) return "../shared/peers/kafka is not there";
  if (spawnSync("java", ["-version"]).status !== 0) return "java is not installed";
  return undefined;
}

async function start(directory: string, nodes: number, options: readonly string[]): Promise<RunningPeer> {
  const shape = ["--port", String(port), "--nodes", String(nodes)];
  await run(script, ["start", directory, ...shape, ...options], { timeout: startMsMax });
  const pids = Array.from({ length: nodes }, (_, index) =>
    Number(readFileSync(join(directory, `node-${index + 1}`, "pid"), "utf8")),
  );
  return {
    address: { host: "127.0.0.1", port },
    pids,
    metrics: [],
    startMs: ageMs(pids[0]),
    makeCold: () => dropFromPageCache(directory),
    [Symbol.asyncDispose]: async () => {
      await run(script, ["stop", directory], { timeout: startMsMax });
    },
  };
}

/** Kafka has no cache of its own: what it keeps in memory are pages of its segment files. */
async function dropFromPageCache(directory: string): Promise<void> {
  for await (const file of glob(join(directory, "**", "*.log"))) {
    await run("sync", [file]);
    await run("dd", [`if=${file}`, "iflag=nocache", "count=0", "status=none"]);
  }
}
