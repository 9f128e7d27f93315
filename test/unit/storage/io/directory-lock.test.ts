import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DirectoryLock, lockDirectory } from "#storage/io/directory-lock.ts";

const moduleUrl = new URL("../../../../storage/io/directory-lock.ts", import.meta.url).href;

let directory = "";
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-lock-"));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(directory, { recursive: true, force: true });
});

function lock(where = directory): Promise<DirectoryLock> {
  return lockDirectory({ directory: where, processId: process.pid, nonce: randomUUID() });
}

/** Another process that tries to take the lock and holds it until it is killed. */
async function contender(): Promise<{ child: ChildProcess; outcome: string }> {
  const script = `
    const { lockDirectory } = await import(${JSON.stringify(moduleUrl)});
    try {
      const nonce = crypto.randomUUID();
      await lockDirectory({ directory: ${JSON.stringify(directory)}, processId: process.pid, nonce });
      console.log("owner");
      setInterval(() => {}, 1000);
    } catch (error) {
      console.log(error.code + ": " + error.message);
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const [line] = await once(child.stdout ?? child, "data");
  return { child, outcome: String(line).trim() };
}

describe("a directory lock", () => {
  test("refuses a second owner in the same process and says who has it", async () => {
    await using _held = await lock();
    await expect(lock()).rejects.toMatchObject({
      code: "busy",
      message: `Cannot lock "${directory}": in use by process ${process.pid}`,
    });
  });

  test("leaves nothing behind and can be taken again", async () => {
    const held = await lock();
    expect(await readdir(directory)).toHaveLength(1);
    await held.release();
    expect(await readdir(directory)).toEqual([]);
    await (await lock()).release();
  });

  test("refuses a second process, naming the first", async () => {
    await using _held = await lock();
    const { outcome } = await contender();
    expect(outcome).toBe(`busy: Cannot lock "${directory}": in use by process ${process.pid}`);
  });

  test("is free as soon as its owner is killed, and the remains are cleared", async () => {
    const { child, outcome } = await contender();
    expect(outcome).toBe("owner");
    await expect(lock()).rejects.toMatchObject({ code: "busy" });
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await readdir(directory)).toHaveLength(1);
    await using _held = await lock();
    expect(await readdir(directory)).toHaveLength(1);
  });

  test("stays with a paused owner", async () => {
    const { child } = await contender();
    child.kill("SIGSTOP");
    await expect(lock()).rejects.toMatchObject({ code: "busy" });
    child.kill("SIGCONT");
  });

  test("goes to exactly one of many that start at once, also over a dead owner's remains", async () => {
    for (let round = 0; round < 20; round++) {
      if (round % 2 === 1) {
        const { child } = await contender();
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lock()));
      const owners = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
      expect(owners).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "busy" });
      }
      for (const owner of owners) await owner.release();
    }
  });

  test("goes to exactly one of several processes that start at once", async () => {
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => contender()));
    expect(outcomes.filter(({ outcome }) => outcome === "owner")).toHaveLength(1);
  });

  test("works where the path is longer than a socket's may be", async () => {
    const deep = join(directory, "x".repeat(120), "y".repeat(120));
    await mkdir(deep, { recursive: true });
    await using _held = await lock(deep);
    await expect(lock(deep)).rejects.toMatchObject({ code: "busy" });
  });

  test("tells of a directory that is not there", async () => {
    await expect(lock(join(directory, "none"))).rejects.toMatchObject({ code: "missing" });
  });
});
