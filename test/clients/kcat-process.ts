import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";

/** Why tests of kcat cannot run here; undefined where they can. */
export const kcatMissing: string | undefined = whyMissing();

/** What one run of kcat wrote. */
export interface KcatRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** A record as `kcat -J` prints it; headers are a flat list of keys and values. */
export interface KcatRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly tstype: string;
  readonly ts: number;
  readonly key: string | null;
  readonly payload: string | null;
  readonly headers?: readonly (string | null)[];
}

const runMsMax = 30_000;

/** Tests would otherwise spend their time in librdkafka's pauses: at the end of a topic, and until one is created. */
const impatient = ["-X", "topic.metadata.refresh.fast.interval.ms=20", "-X", "fetch.wait.max.ms=50"] as const;

/** Runs kcat to its end, giving it `input`; answers its exit code as it is. */
export async function runKcat(
  bootstrapServers: string,
  arguments_: readonly string[],
  input = "",
): Promise<KcatRun> {
  const child = spawn("kcat", ["-b", bootstrapServers, ...impatient, ...arguments_], {
    signal: AbortSignal.timeout(runMsMax),
    stdio: ["pipe", "pipe", "pipe"],
  });
  const run = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    run.stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    run.stderr += chunk.toString();
  });
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${error.message}: ${run.stderr}`, { cause: error })));
    child.once("close", resolve);
  });
  return { ...run, code };
}

/** Runs kcat and answers what it printed. @throws Error with its complaints when it failed */
export async function kcat(
  bootstrapServers: string,
  arguments_: readonly string[],
  input?: string,
): Promise<string> {
  const { code, stdout, stderr } = await runKcat(bootstrapServers, arguments_, input);
  if (code !== 0) throw new Error(`Cannot run kcat ${arguments_.join(" ")}: exit ${code}: ${stderr}`);
  return stdout;
}

/** The records of a topic, each as kcat's JSON. */
export async function kcatRecords(
  bootstrapServers: string,
  topic: string,
  arguments_: readonly string[] = [],
): Promise<KcatRecord[]> {
  const consume = ["-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J", ...arguments_];
  const lines = await kcat(bootstrapServers, consume);
  return lines
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as KcatRecord);
}

/** Its own version and its library's, as it tells them. */
export function kcatVersion(): string {
  const { stdout } = spawnSync("kcat", ["-V"], { encoding: "utf8" });
  const [, version = "", library = ""] = /Version (\S+).*librdkafka ([\d.]+)/s.exec(stdout) ?? [];
  return `${version} (librdkafka ${library})`;
}

function whyMissing(): string | undefined {
  const run: SpawnSyncReturns<string> = spawnSync("kcat", ["-V"], { encoding: "utf8" });
  return run.error ? `kcat is not on the PATH: ${run.error.message}` : undefined;
}
