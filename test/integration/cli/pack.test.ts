import { execFile, spawn } from "node:child_process";
import { cp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../free-port.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../temporary-directory.ts";
import { waitUntil, within } from "../wait-until.ts";

/*
 * The package as somebody gets it: packed, installed into a project of its own, run and imported there. It is packed
 * from a copy, for packing writes beside the sources that other tests run. The registry, or npm's cache, is needed.
 */

const root = fileURLToPath(new URL("../../../", import.meta.url));
const packed = [
  "package",
  "protocol",
  "storage",
  "raft",
  "src",
  "docs",
  "package.json",
  "tsconfig.base.json",
  "README.md",
  "LICENSE",
  ".npmrc",
  ".gitignore",
];
const timeoutMs = 300_000;

let directory: TemporaryDirectory | undefined;
let clone = "";
let project = "";
let skipReason: string | undefined;

beforeAll(async () => {
  directory = await temporaryDirectory();
  clone = join(directory.path, "clone");
  project = join(directory.path, "project");
  for (const name of packed) await cp(join(root, name), join(clone, name), { recursive: true });
  await symlink(join(root, "node_modules"), join(clone, "node_modules"));
  await run("npm", ["pack", "--pack-destination", directory.path], clone);

  await cp(join(root, ".npmrc"), join(project, ".npmrc"));
  await writeFile(join(project, "package.json"), '{"name":"project","private":true,"type":"module"}');
  const tarball = (await readdir(directory.path)).find((name) => name.endsWith(".tgz")) ?? "";
  const types = await versionOf("@types/node");
  try {
    await run(
      "npm",
      ["install", "--prefer-offline", join(directory.path, tarball), `@types/node@${types}`],
      project,
    );
  } catch (error) {
    if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENOTCACHED/.test(String(error))) throw error;
    skipReason = "the registry cannot be reached";
  }
}, timeoutMs);
afterAll(async () => {
  await directory?.[Symbol.asyncDispose]();
});

/** Skips, and says so, where there is no registry to install from. */
function ptest(name: string, body: () => Promise<void>): void {
  test(name, { timeout: timeoutMs }, async ({ skip }) => {
    if (skipReason) skip(skipReason);
    await body();
  });
}

test("packing leaves nothing behind in the clone", async () => {
  const names = await readdir(join(clone, "package"));
  expect(names.toSorted()).toEqual((await readdir(join(root, "package"))).filter(isCommitted).toSorted());
});

ptest("the package holds compiled files and declarations, and no sources", async () => {
  const files = await readdir(join(project, "node_modules/millrace"), { recursive: true });
  expect(files).toContain("package/src/index.js");
  expect(files).toContain("package/src/index.d.ts");
  expect(files.filter((name) => /(?<!\.d)\.ts$|tsconfig|write-docs/.test(name))).toEqual([]);
});

ptest("npx millrace starts a broker, on whatever Node the machine has, and works with it", async () => {
  const port = await freePort();
  const flags = [
    `--listeners=PLAINTEXT://127.0.0.1:${port}`,
    "--log.dirs=data",
    "--millrace.http.listener=off",
  ];
  // A group of its own, as a terminal's: npx does not pass signals on to what it runs.
  const options = { cwd: project, env: environment(), detached: true };
  const broker = spawn("npx", ["millrace", "start", ...flags], options);
  let log = "";
  broker.stdout.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  broker.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = new Promise((resolve) => broker.once("close", resolve));
  try {
    await waitUntil("the broker serving", () => log.includes('"msg":"serving"'), 60_000);
    const at = `-b 127.0.0.1:${port}`;
    const { stdout } = await run("bash", [
      "-c",
      `printf 'k:one\\nk:two\\n' | npx millrace produce packed -K : -z zstd ${at} 2>/dev/null && npx millrace consume packed -e ${at}`,
    ]);
    expect(stdout).toBe("one\ntwo\n");
    expect((await run("npx", ["millrace", "--version"])).stdout).toMatch(
      /^millrace \d+\.\d+\.\d+ \(node v(2[4-9]|[3-9]\d)/,
    );
  } finally {
    if (broker.pid !== undefined) process.kill(-broker.pid, "SIGTERM");
    await within("its end", ended);
  }
});

ptest("its exports can be imported, with their types", async () => {
  await writeFile(
    join(project, "embedded.ts"),
    `import { ConfigError, type EmbeddedBroker, startBroker } from "millrace";
const broker: EmbeddedBroker = await startBroker({ config: { "num.partitions": "3" } });
const servers: readonly string[] = broker.bootstrapServers;
console.log(servers.length, ConfigError.name);
// @ts-expect-error: the types are there, or this would be no mistake.
startBroker({ storage: "tape" }).catch(() => undefined);
await broker.close();
process.exit(0);
`,
  );
  const options = [
    "--module",
    "nodenext",
    "--target",
    "esnext",
    "--lib",
    "esnext",
    "--types",
    "node",
    "--strict",
  ];
  await run(join(root, "node_modules/.bin/tsc"), [...options, "--outDir", "out", "embedded.ts"]);
  const { stdout } = await run(process.execPath, ["out/embedded.js"]);
  expect(stdout).toBe("1 ConfigError\n");
});

function isCommitted(name: string): boolean {
  return !["src", "protocol", "storage", "raft", "package.json"].includes(name);
}

async function versionOf(name: string): Promise<string> {
  const manifest: unknown = JSON.parse(
    await readFile(join(root, "node_modules", name, "package.json"), "utf8"),
  );
  return (manifest as { version: string }).version;
}

async function run(command: string, args: readonly string[], cwd = project): Promise<{ stdout: string }> {
  return await promisify(execFile)(command, [...args], { cwd, env: environment(), maxBuffer: 64 << 20 });
}

/** The machine's own commands, not those of this clone; no settings of tests or of an npm around them. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(MILLRACE_|npm_|NODE_|VITEST)/i.test(name));
  const path = (process.env.PATH ?? "").split(":").filter((part) => !part.includes("node_modules"));
  return { ...Object.fromEntries(own), PATH: path.join(":") };
}
