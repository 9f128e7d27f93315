import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { glob, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { PreparedClient } from "./client-suite.ts";

const run = promisify(execFile);
const cache = fileURLToPath(new URL("../../.cache/clients/", import.meta.url));
/** The module with the Go clients. */
export const goSources = fileURLToPath(new URL("go/", import.meta.url));
const buildMsMax = 540_000;

/** Builds the program with all Go clients, once for each state of its sources. */
export async function prepareGo(client: string): Promise<PreparedClient> {
  const reason = goMissing();
  if (reason) return missing(reason);
  const program = join(cache, `go-clients-${await sourcesHash()}`);
  try {
    await mkdir(cache, { recursive: true });
    await buildOnce(program);
  } catch (error) {
    return missing(`it cannot be built: ${String(error).split("\n").slice(0, 3).join(" ")}`);
  }
  return { kind: "ready", program: { command: program, arguments: [client] } };
}

/** Why Go clients cannot run here; undefined where they can. */
export function goMissing(): string | undefined {
  return spawnSync("go", ["version"]).status === 0 ? undefined : "Go is not installed";
}

/** Several suites want the program at once: the one that gets to make the lock file builds it. */
async function buildOnce(program: string): Promise<void> {
  const lock = `${program}.lock`;
  while (!existsSync(program)) {
    const lockFile = await open(lock, "wx").catch(() => undefined);
    if (!lockFile) {
      await sleep(250);
      const age = Date.now() - (await stat(lock).then(({ mtimeMs }) => mtimeMs, Date.now));
      // Whoever made it is gone.
      if (age > buildMsMax) await rm(lock, { force: true });
      continue;
    }
    try {
      await run("go", ["build", "-trimpath", "-o", `${program}.new`, "."], {
        cwd: goSources,
        timeout: buildMsMax,
      });
      await rename(`${program}.new`, program);
    } finally {
      await lockFile.close();
      await rm(lock, { force: true });
    }
  }
}

async function sourcesHash(): Promise<string> {
  const hash = createHash("sha256");
  const files: string[] = [];
  for await (const file of glob("*", { cwd: goSources })) files.push(file);
  for (const file of files.toSorted()) hash.update(file).update(await readFile(join(goSources, file)));
  return hash.digest("hex").slice(0, 12);
}

function missing(reason: string): PreparedClient {
  return { kind: "missing", reason };
}
