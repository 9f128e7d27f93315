import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { glob, mkdir, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { PreparedClient } from "./client-suite.ts";

const run = promisify(execFile);
const cache = fileURLToPath(new URL("../../.cache/clients/", import.meta.url));
const driver = fileURLToPath(new URL("python/driver.py", import.meta.url));
const installMsMax = 240_000;

/**
 * Makes an environment with these packages, once, and answers the program that drives the module in it.
 *
 * `python` is the version that the packages have wheels for; any when left out.
 */
export async function preparePython(options: {
  module: string;
  requirements: readonly string[];
  python?: string;
}): Promise<PreparedClient> {
  const python = await findPython(options.python);
  if (!python) return missing(`Python ${options.python ?? "3"} is not installed`);
  const identity = JSON.stringify([python, options.requirements]);
  const environment = join(
    cache,
    `python-${createHash("sha256").update(identity).digest("hex").slice(0, 12)}`,
  );
  const interpreter = join(environment, "bin", "python");
  const installed = join(environment, "installed");
  if (!existsSync(installed)) {
    try {
      await rm(environment, { recursive: true, force: true });
      await mkdir(cache, { recursive: true });
      await run(python, ["-m", "venv", environment], { timeout: installMsMax });
      const install = ["-m", "pip", "install", "--quiet", "--only-binary=:all:", ...options.requirements];
      await run(interpreter, install, { timeout: installMsMax });
      await writeFile(installed, identity);
    } catch (error) {
      return missing(`its packages cannot be installed: ${String(error).split("\n").slice(0, 3).join(" ")}`);
    }
  }
  return { kind: "ready", program: { command: interpreter, arguments: [driver, options.module] } };
}

async function findPython(version: string | undefined): Promise<string | undefined> {
  const candidates = version === undefined ? ["python3"] : [`python${version}`];
  const managed = join(homedir(), ".pyenv/versions", `${version ?? "3"}*`, "bin/python3");
  for await (const path of glob(managed)) candidates.push(path);
  return candidates.find((candidate) => spawnSync(candidate, ["-m", "venv", "--help"]).status === 0);
}

function missing(reason: string): PreparedClient {
  return { kind: "missing", reason };
}
