import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../integration/free-port.ts";
import { temporaryDirectory } from "../integration/temporary-directory.ts";

const script = fileURLToPath(new URL("../../../shared/peers/kafka", import.meta.url));

/** Why Apache Kafka cannot run here; undefined where it can. */
export const kafkaMissing: string | undefined = whyMissing();

/** Starting a JVM on a busy machine takes its time. */
const startMsMax = 120_000;

/** A fresh Apache Kafka of one node on loopback, stopped and removed when disposed. */
export interface ApacheKafka extends AsyncDisposable {
  readonly bootstrapServers: string;
  /** Its properties file. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Starts Apache Kafka with further settings under its own names. */
export async function startApacheKafka(
  settings: Readonly<Record<string, string>> = {},
): Promise<ApacheKafka> {
  const directory = await temporaryDirectory();
  const path = join(directory.path, "kafka");
  const port = await freePort();
  const set = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const run = promisify(execFile);
  const heap = ["--heap", "512m"];
  await run(script, ["start", path, "--port", String(port), ...heap, ...set], { timeout: startMsMax });
  const properties = await readFile(join(path, "node-1", "server.properties"), "utf8");
  return {
    settings: settingsOf(properties),
    bootstrapServers: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await run(script, ["stop", path]);
      await directory[Symbol.asyncDispose]();
    },
  };
}

function settingsOf(properties: string): Record<string, string> {
  const lines = properties.split("\n").filter((line) => line.includes("="));
  return Object.fromEntries(
    lines.map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)]),
  );
}

function whyMissing(): string | undefined {
  if (!existsSync(script)) return "the script that starts Apache Kafka is not beside the repository";
  for (const command of ["java", "mvn"]) {
    if (spawnSync(command, ["-version"]).error) return `${command} is not on the PATH`;
  }
  return undefined;
}
