import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The modules that are compiled beside this file, for `npm pack` only. */
const modules = ["protocol", "storage", "raft", "src"];

const here = fileURLToPath(new URL("./", import.meta.url));
/** The manifest goes first: without it this directory stands for the sources again. */
const generated = ["package.json", ...modules];

/** `node package/build.ts` compiles, `node package/build.ts clean` removes what that made. */
for (const name of generated) rmSync(`${here}${name}`, { recursive: true, force: true });
if (process.argv[2] !== "clean") build();

function build(): void {
  // Its complaints go where npm shows them.
  const compiler = spawnSync("tsc", ["-p", `${here}tsconfig.build.json`], {
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (compiler.error) throw compiler.error;
  if (compiler.status !== 0) process.exit(1);
  const { name, version } = readManifest();
  const imports = Object.fromEntries(modules.map((module) => [`#${module}/*.ts`, compiled(module)]));
  const manifest = {
    name,
    version,
    type: "module",
    imports: { ...imports, "#package.json": "./package.json" },
  };
  // Last: from here on this directory stands for the compiled form.
  writeFileSync(`${here}package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
}

function compiled(module: string): { types: string; default: string } {
  return { types: `./${module}/*.d.ts`, default: `./${module}/*.js` };
}

function readManifest(): { name: string; version: string } {
  return JSON.parse(readFileSync(`${here}../package.json`, "utf8")) as { name: string; version: string };
}
