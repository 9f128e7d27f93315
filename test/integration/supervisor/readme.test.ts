import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { snippetsOf } from "../../clients/snippets.ts";
import { freePort } from "../free-port.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { Supervised } from "./supervised.ts";

// What README.md shows of a cluster is run as it stands there: only ports, process ids and the directory change.

const root = fileURLToPath(new URL("../../../", import.meta.url));
const shellMissing = spawnSync("sh", ["-c", "true"]).error !== undefined;

/** What is another one in each run, made the same: ids, process ids, the leader, sizes and the spaces around them. */
function withoutChance(text: string): string {
  return text
    .replaceAll(/id [\w-]{22}/g, "id ID")
    .replaceAll(/^ +0 +\d.*$/gm, "ROW")
    .replaceAll(/pid \d+/g, "pid PID")
    .replaceAll(/127\.0\.0\.1:\d+/g, "ADDRESS")
    .replaceAll(/data in \S+\/node/g, "data in node")
    .replaceAll(/ +/g, " ")
    .trim();
}

test.skipIf(shellMissing)(
  "the cluster in README.md survives the kill, and prints what is shown",
  async () => {
    const snippets = await snippetsOf("README.md");
    const at = snippets.findIndex(({ text }) => text.includes("--local-cluster"));
    const [start, started, session, shown] = snippets.slice(at, at + 4).map(({ text }) => text);
    expect(start?.trim()).toBe("npx millrace start --local-cluster");

    await using directory = await temporaryDirectory();
    const port = await freePort();
    await using cluster = new Supervised([
      "--local-cluster",
      `--listeners=PLAINTEXT://127.0.0.1:${port}`,
      `--log.dirs=${directory.path}/local-cluster`,
    ]);
    await cluster.until("Ctrl-C");
    expect(withoutChance(cluster.lines.join("\n"))).toBe(withoutChance(started ?? ""));

    // Who leads is chance: the session goes up to the kill, and on from there with the leader's process.
    const [before = "", after = ""] = (session ?? "").split(/^kill -9 \d+\n/m);
    const run = async (script: string): Promise<string> => {
      const environment = [0, 1, 2].map((offset) => `127.0.0.1:${port + offset}`).join(",");
      const lines = script.replace(/^export .*$/m, "");
      const { stdout } = await promisify(execFile)("sh", ["-e", "-c", lines], {
        cwd: root,
        env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: environment },
        timeout: 60_000,
      });
      return stdout;
    };
    const first = await run(before);
    const leader = Number(/^ +0 +(\d)/m.exec(first)?.[1]);
    process.kill(cluster.pidOf(leader), "SIGKILL");
    const second = await run(after);
    expect(withoutChance(`${first}${second}`)).toBe(withoutChance(shown ?? ""));
    expect(Number(/^ +0 +(\d)/m.exec(second)?.[1])).not.toBe(leader);
  },
  180_000,
);
