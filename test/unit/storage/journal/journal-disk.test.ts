import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDirectFileSystem } from "#storage/io/direct-file.ts";
import { openSmall } from "./journal-workload.ts";

const root = join(import.meta.dirname, "..", "..", "..", "..");

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-journal-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** A process that appends without end and prints each index once it is durable. */
const appender = (where: string) => `
  const { openDirectFileSystem } = await import("#storage/io/direct-file.ts");
  const { openSmall } = await import("./test/unit/storage/journal/journal-workload.ts");
  const files = await openDirectFileSystem({ probeDirectory: ${JSON.stringify(where)} });
  const { journal, groups } = await openSmall(files, { directory: ${JSON.stringify(join(where, "journal"))} });
  let index = groups.get(1)?.entries.at(-1)?.index ?? groups.get(1)?.floor.index ?? 0;
  for (;;) {
    const payload = new Uint8Array(3000).fill(++index % 251);
    journal.append(1, [{ index, term: 1, kind: "data", baseOffset: index, offsetCount: 1, payload }]);
    if (index % 30 === 0) journal.advanceFloor(1, { index: index - 10, term: 1 });
    await journal.flush();
    process.stdout.write(index + "\\n");
  }`;

describe("a journal on the machine's disk", () => {
  test("keeps every acknowledged entry when its process is killed, again and again", {
    timeout: 60_000,
  }, async () => {
    let acknowledged = 0;
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", appender(directory)], {
        cwd: root,
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (output.split("\n").length > 150 + round * 20) child.kill("SIGKILL");
      });
      await once(child, "close");
      acknowledged = Number(output.split("\n").at(-2));

      const files = await openDirectFileSystem({ probeDirectory: directory });
      const { journal, groups } = await openSmall(files, { directory: join(directory, "journal") });
      const group = groups.get(1);
      const last = group?.entries.at(-1)?.index ?? group?.floor.index ?? 0;
      expect(last).toBeGreaterThanOrEqual(acknowledged);
      for (const { index, location } of group?.entries ?? []) {
        expect((await journal.readPayload(location))[2999]).toBe(index % 251);
      }
      await journal.close();
    }
    expect(acknowledged).toBeGreaterThan(500);
  });
});
