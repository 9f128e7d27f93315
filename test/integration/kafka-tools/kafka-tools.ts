import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll } from "vitest";
import { within } from "../wait-until.ts";

/** Runs Kafka's classes: it brings them along. */
export const kafkaScript = fileURLToPath(new URL("../../../../shared/peers/kafka", import.meta.url));
const host = fileURLToPath(new URL("./KafkaTools.java", import.meta.url));

/** Why Kafka's own tools cannot run here; undefined where they can. */
export const kafkaToolsMissing: string | undefined = whyMissing();

/** What one run of a tool wrote. */
export interface ToolRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Short names of tools and their classes. */
const classes = {
  BrokerApiVersionsCommand: "org.apache.kafka.tools.BrokerApiVersionsCommand",
  ClusterTool: "org.apache.kafka.tools.ClusterTool",
  ConfigCommand: "kafka.admin.ConfigCommand",
  ConsoleConsumer: "org.apache.kafka.tools.consumer.ConsoleConsumer",
  ConsoleProducer: "org.apache.kafka.tools.ConsoleProducer",
  ConsumerGroupCommand: "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
  ConsumerPerformance: "org.apache.kafka.tools.ConsumerPerformance",
  DeleteRecordsCommand: "org.apache.kafka.tools.DeleteRecordsCommand",
  DumpLogSegments: "org.apache.kafka.tools.DumpLogSegments",
  EndToEndLatency: "org.apache.kafka.tools.EndToEndLatency",
  GetOffsetShell: "org.apache.kafka.tools.GetOffsetShell",
  LeaderElectionCommand: "org.apache.kafka.tools.LeaderElectionCommand",
  LogDirsCommand: "org.apache.kafka.tools.LogDirsCommand",
  MetadataQuorumCommand: "org.apache.kafka.tools.MetadataQuorumCommand",
  ProducerPerformance: "org.apache.kafka.tools.ProducerPerformance",
  ReassignPartitionsCommand: "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
  TopicCommand: "org.apache.kafka.tools.TopicCommand",
} as const;

export type Tool = keyof typeof classes;

const runMsMax = 90_000;
const outputBytesMax = 16 << 20;

/** Kafka's tools in one JVM, run one at a time. */
export class KafkaTools implements Disposable {
  readonly #process: ChildProcess;
  readonly #waiting: ((answer: string) => void)[] = [];
  #complaints = "";
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    // The launcher of single source files, as the main class: the script gives it Kafka's class path.
    this.#process = spawn(kafkaScript, ["tool", "com.sun.tools.javac.launcher.Main", host], {
      env: { ...process.env, KAFKA_TOOL_JIT: "1" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdout, stderr } = this.#process;
    if (stdout) createInterface({ input: stdout }).on("line", (line) => this.#waiting.shift()?.(line));
    stderr?.on("data", (chunk: Buffer) => {
      this.#complaints += chunk.toString();
    });
    this.#process.once("close", () => {
      for (const answer of this.#waiting.splice(0)) answer("");
    });
  }

  /** Runs a tool to its end; answers its exit code as it is. */
  async run(tool: Tool, arguments_: readonly string[], input = ""): Promise<ToolRun> {
    const turn = this.#last.then(() => this.#run(tool, arguments_, input));
    this.#last = turn.catch(() => undefined);
    return await turn;
  }

  [Symbol.dispose](): void {
    this.#process.kill("SIGKILL");
  }

  async #run(tool: Tool, arguments_: readonly string[], input: string): Promise<ToolRun> {
    const request = [classes[tool], input, ...arguments_].map((part) => Buffer.from(part).toString("base64"));
    const answer = new Promise<string>((resolve) => this.#waiting.push(resolve));
    this.#process.stdin?.write(`${request.join(" ")}\n`);
    const [code, stdout = "", stderr = ""] = (await within(`end of ${tool}`, answer, runMsMax)).split(" ");
    if (!code) throw new Error(`Cannot run ${tool}: the JVM ended: ${this.#complaints}`);
    return { code: Number(code), stdout: decoded(stdout), stderr: decoded(stderr) };
  }
}

/** Starts the tools for all tests of the calling file; answers how to run one that has to succeed. */
export function useKafkaTools(): (
  tool: Tool,
  arguments_: readonly string[],
  input?: string,
) => Promise<string> {
  let tools: KafkaTools | undefined;
  beforeAll(() => {
    if (!kafkaToolsMissing) tools = new KafkaTools();
  });
  afterAll(() => tools?.[Symbol.dispose]());
  return async (tool, arguments_, input) => {
    if (!tools) throw new Error("Cannot run a tool: they start in beforeAll");
    const { code, stdout, stderr } = await tools.run(tool, arguments_, input);
    if (code !== 0)
      throw new Error(`Cannot run ${tool} ${arguments_.join(" ")}: exit ${code}: ${stderr}${stdout}`);
    return stdout;
  };
}

/** Runs a tool that speaks only as its process ends, in a process of its own; the signal ends it. */
export async function kafkaToolAlone(
  tool: "VerifiableConsumer" | "VerifiableProducer",
  arguments_: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const { stdout } = await promisify(execFile)(kafkaScript, ["tool", tool, ...arguments_], {
    ...{ timeout: runMsMax, signal, maxBuffer: outputBytesMax },
  });
  return stdout;
}

function decoded(text: string): string {
  return Buffer.from(text, "base64").toString();
}

function whyMissing(): string | undefined {
  if (!existsSync(kafkaScript)) return "the script that runs them is not beside the repository";
  for (const command of ["java", "mvn"]) {
    if (spawnSync(command, ["-version"]).error) return `${command} is not on the PATH`;
  }
  const modules = spawnSync("java", ["--list-modules"], { encoding: "utf8" });
  return modules.stdout.includes("jdk.compiler") ? undefined : "java has no compiler";
}
