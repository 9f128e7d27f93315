import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Kafka, logLevel, Partitioners } from "kafkajs";

const mainPath = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const cacheDirectory = fileURLToPath(new URL("../.cache/", import.meta.url));
const recordBytes = 1024;
const runMs = 4_000;

interface Load {
  readonly name: string;
  readonly acks: 0 | 1 | -1;
  readonly recordsPerBatch: number;
  readonly inFlight: number;
}

const loads: readonly Load[] = [
  { name: "acks=all, 1 record a batch, 1 in flight", acks: -1, recordsPerBatch: 1, inFlight: 1 },
  { name: "acks=all, 1 record a batch, 64 in flight", acks: -1, recordsPerBatch: 1, inFlight: 64 },
  { name: "acks=all, 100 records a batch, 16 in flight", acks: -1, recordsPerBatch: 100, inFlight: 16 },
  { name: "acks=1, 100 records a batch, 16 in flight", acks: 1, recordsPerBatch: 100, inFlight: 16 },
];

/** A first produce rate: kafkajs in this process, the broker on its disk in another. */
export async function run(): Promise<void> {
  const directory = await mkdtemp(join(cacheDirectory, "bench-produce-"));
  const broker = spawn(
    process.execPath,
    [mainPath, "--listeners=PLAINTEXT://127.0.0.1:0", `--log.dirs=${directory}`],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  try {
    const port = await servedPort(broker.stdout);
    const kafka = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.ERROR });
    for (const load of loads) process.stdout.write(`${load.name}: ${await measure(kafka, load)}\n`);
  } finally {
    broker.kill("SIGTERM");
    await new Promise((resolve) => broker.once("exit", resolve));
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(kafka: Kafka, load: Load): Promise<string> {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const value = Buffer.alloc(recordBytes, "x");
  const messages = Array.from({ length: load.recordsPerBatch }, () => ({ value }));
  const latenciesMs: number[] = [];
  const startMs = performance.now();
  async function sendUntilEnd(): Promise<void> {
    while (performance.now() - startMs < runMs) {
      const sentMs = performance.now();
      await producer.send({ topic: "bench", acks: load.acks, messages });
      latenciesMs.push(performance.now() - sentMs);
    }
  }
  await Promise.all(Array.from({ length: load.inFlight }, sendUntilEnd));
  const seconds = (performance.now() - startMs) / 1000;
  await producer.disconnect();

  latenciesMs.sort((a, b) => a - b);
  const records = latenciesMs.length * load.recordsPerBatch;
  const at = (share: number): string => (latenciesMs[Math.floor(latenciesMs.length * share)] ?? 0).toFixed(1);
  const rate = Math.round(records / seconds);
  const megabytes = ((rate * recordBytes) / 1e6).toFixed(1);
  return `${rate} records/s, ${megabytes} MB/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

async function servedPort(output: NodeJS.ReadableStream): Promise<number> {
  for await (const line of createInterface({ input: output })) {
    const entry: unknown = JSON.parse(line);
    if (isServing(entry)) {
      output.resume();
      return entry.listeners[0].port;
    }
  }
  throw new Error("Cannot measure: the broker ended before it served");
}

function isServing(entry: unknown): entry is { msg: "serving"; listeners: [{ port: number }] } {
  return typeof entry === "object" && entry !== null && "msg" in entry && entry.msg === "serving";
}
