import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import pino from "pino";
import type { BrokerConfig } from "../config/broker-config.ts";
import { loadBrokerConfig } from "../config/load-broker-config.ts";
import { startSameProgram } from "../runtime/child-process.ts";
import { systemClock } from "../runtime/clock.ts";
import { findFreePort, isFreePort } from "../runtime/free-port.ts";
import { jsonVoice } from "./json-voice.ts";
import { type NodePlan, planNodes } from "./node-plan.ts";
import { plainVoice } from "./plain-voice.ts";
import type { SeveralNodes } from "./several-nodes.ts";
import { Supervisor } from "./supervisor.ts";

export interface NodesCall {
  readonly nodes: Extract<SeveralNodes, { kind: "cores" | "local" }>;
  /** Configs for all nodes, as flags. */
  readonly args: readonly string[];
  /** What runs one broker, for Node: the program's file and its command. */
  readonly program: readonly string[];
}

const localNodes = 3;
const localDirectory = "local-cluster";
/**
 * What makes a cluster to try things on survive a killed node, and keeps the terminal for what needs a person; each
 * gives way to what the user sets.
 */
const localConfigs: ReadonlyMap<string, string> = new Map([
  ["default.replication.factor", "3"],
  ["min.insync.replicas", "2"],
  ["offsets.topic.replication.factor", "3"],
  ["millrace.log.level", "error"],
]);
const exitCodes = { misused: 2 } as const;

/** Makes this process the supervisor of several brokers; answers when all have ended, with its exit code set. */
export async function runNodes({ nodes, args, program }: NodesCall): Promise<void> {
  const first = load(args);
  if (first.kind !== "config") return refuse(first.problems);
  const isLocal = nodes.kind === "local";
  const given = isLocal ? withLocalConfigs(first.config, args) : args;
  const planned = await planNodes({
    base: first.config,
    count: isLocal ? localNodes : nodes.count,
    logDirectory: directoryOf(first.config, isLocal),
    hostName: hostname(),
    freePort: findFreePort,
    isFree: isFreePort,
  });
  if (planned.kind === "problems") return refuse(planned.problems);
  const problems = problemsOf(planned.nodes, given, directoryOf(first.config, isLocal));
  if (problems.length > 0) return refuse(problems);

  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const logger = pino(
    { name: "millrace", level: first.config.logLevel },
    pino.destination({ fd: 1, sync: true }),
  );
  const supervisor = new Supervisor({
    nodes: planned.nodes,
    args: given,
    startChild: startSameProgram(program),
    clock: systemClock,
    voice: isLocal ? plainVoice(write) : jsonVoice(logger, write),
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => supervisor.stop());
  process.exitCode = await supervisor.run();
}

type Loaded =
  | { readonly kind: "config"; readonly config: BrokerConfig }
  | { readonly kind: "problems"; readonly problems: readonly string[] };

function load(args: readonly string[]): Loaded {
  const loaded = loadBrokerConfig({
    args,
    environment: process.env,
    readFile: (path) => readFileSync(path, "utf8"),
    hostName: hostname(),
  });
  return loaded.kind === "help" ? { kind: "problems", problems: [] } : loaded;
}

function refuse(problems: readonly string[]): void {
  for (const problem of problems) process.stderr.write(`millrace: ${problem}\n`);
  process.exitCode = exitCodes.misused;
}

function withLocalConfigs(config: BrokerConfig, args: readonly string[]): readonly string[] {
  const unset = [...localConfigs].filter(([name]) => !config.static.has(name));
  return [...args, ...unset.map(([name, value]) => `--${name}=${value}`)];
}

/** A cluster to try things on keeps out of the way of the broker that plain `start` runs. */
function directoryOf(config: BrokerConfig, isLocal: boolean): string {
  const isSet = config.static.has("log.dirs") || config.static.has("log.dir");
  return isLocal && !isSet ? join(config.logDirectory, localDirectory) : config.logDirectory;
}

/** What no node would start with: each problem once, however many nodes have it. */
function problemsOf(
  nodes: readonly NodePlan[],
  args: readonly string[],
  directory: string,
): readonly string[] {
  const problems = new Set<string>();
  if (existsSync(join(directory, "meta.properties"))) {
    problems.add(
      `Cannot keep the data of ${nodes.length} nodes in "${directory}": it holds the data of a node that was started alone`,
    );
  }
  for (const { flags } of nodes) {
    const loaded = load([...args, ...flags]);
    if (loaded.kind === "problems") for (const problem of loaded.problems) problems.add(problem);
  }
  return [...problems];
}
