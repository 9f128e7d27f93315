/*
 * The load generator: `npm run bench:load -- produce --bootstrap 127.0.0.1:9092 --partitions 100`.
 * It is a process of its own, so that its CPU time and its garbage are not the broker's.
 */

import { parseArgs } from "node:util";
import { parseAddress } from "./load-connection.ts";
import { type LoadResult, runLoad } from "./run-load.ts";
import { withChanges, workloads } from "./workloads.ts";

const numbers = [
  "partitions",
  "replicas",
  "valueBytes",
  "keyBytes",
  "warmup",
  "seconds",
  "producers",
  "consumers",
  "acks",
  "rate",
  "batchRecords",
  "requestBatches",
  "inFlight",
  "records",
] as const;

const usage = `bench:load WORKLOAD [options]
workloads: ${Object.keys(workloads).join(", ")}
options:
  --bootstrap HOST:PORT   127.0.0.1:9092 unless told; the brokers that lead are found from there
  --topic NAME            made when missing; a new one for each run unless told
  --broker-pid PID,PID    measures those processes too
  --json                  the result as one line of JSON
  ${numbers.map((name) => `--${name} N`).join(" ")}
`;

await main();

async function main(): Promise<void> {
  const options = Object.fromEntries(numbers.map((name) => [name, { type: "string" as const }]));
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        ...options,
        bootstrap: { type: "string", default: "127.0.0.1:9092" },
        topic: { type: "string" },
        "broker-pid": { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    misused(error instanceof Error ? error.message : String(error));
    return;
  }
  const { values, positionals } = parsed;
  const [name = ""] = positionals;
  const workload = Object.entries(workloads).find(([known]) => known === name)?.[1];
  if (!workload) return misused(`unknown workload "${name}"`);
  const changes = Object.fromEntries(
    numbers.flatMap((option) => (values[option] === undefined ? [] : [[option, Number(values[option])]])),
  );
  try {
    const result = await runLoad({
      ...withChanges(workload, changes),
      address: parseAddress(String(values.bootstrap)),
      topic: values.topic === undefined ? `load-${name}-${process.pid}` : String(values.topic),
      brokerPids:
        values["broker-pid"] === undefined ? [] : String(values["broker-pid"]).split(",").map(Number),
    });
    process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : describe(result));
  } catch (error) {
    process.stderr.write(`bench:load: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

function misused(problem: string): void {
  process.stderr.write(`bench:load: ${problem}\n\n${usage}`);
  process.exitCode = 2;
}

function describe(result: LoadResult): string {
  const lines: string[] = [];
  const { latency, lag, endToEnd } = result;
  if (latency.count > 0) {
    lines.push(
      `produced  ${Math.round(result.producedPerSecond)} records/s, ${result.producedMegabytesPerSecond.toFixed(1)} MB/s`,
      `  answered p50 ${ms(latency.p50Ms)} p99 ${ms(latency.p99Ms)} p99.9 ${ms(latency.p999Ms)} max ${ms(latency.maxMs)}`,
    );
  }
  if (lag.count > 0) lines.push(`  sent late p50 ${ms(lag.p50Ms)} p99 ${ms(lag.p99Ms)}`);
  if (result.consumedPerSecond > 0) {
    lines.push(
      `consumed  ${Math.round(result.consumedPerSecond)} records/s, ${result.consumedMegabytesPerSecond.toFixed(1)} MB/s`,
    );
  }
  if (endToEnd.count > 0) {
    lines.push(
      `  end to end p50 ${ms(endToEnd.p50Ms)} p99 ${ms(endToEnd.p99Ms)} p99.9 ${ms(endToEnd.p999Ms)} max ${ms(endToEnd.maxMs)}`,
    );
  }
  lines.push(
    `took ${result.seconds.toFixed(2)} s; of one core the generator took ${share(result.generatorCpuShare)}, ` +
      `the broker ${share(result.brokerCpuShare)}: ${result.brokerCpuPerMillion.toFixed(2)} s for a million records; ` +
      `it holds ${Math.round(result.brokerResidentBytes / 1e6)} MB`,
  );
  return `${lines.join("\n")}\n`;
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}

function share(value: number): string {
  return `${Math.round(value * 100)} %`;
}
