import { execFile, execFileSync } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { BrokerProcess } from "../broker-process.ts";
import { freePort } from "../free-port.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { uniqueName, useBroker } from "../test-broker.ts";
import { waitUntil, within } from "../wait-until.ts";
import { binPath, CliProcess, runCli } from "./cli-process.ts";

const broker = useBroker();
const at = (): string[] => ["-b", broker.bootstrapServers];

describe("millrace start", () => {
  test("takes the flags of a broker, serves, and ends in order on SIGTERM", async () => {
    await using directory = await temporaryDirectory();
    const port = await freePort();
    const listener = `--listeners=PLAINTEXT://127.0.0.1:${port}`;
    const start = new CliProcess(["start", listener, `--log.dirs=${directory.path}`], { input: "" });
    await waitUntil("the broker serving", () => start.stdout.includes('"msg":"serving"'));
    expect((await runCli(["cluster", "-b", `127.0.0.1:${port}`])).code).toBe(0);
    start.child.kill("SIGTERM");
    expect(await within("its end", start.finished)).toMatchObject({ code: 0 });
    expect((await runCli(["cluster", "-b", `127.0.0.1:${port}`])).code).toBe(1);
  });

  test.each([
    [["--log.dirs"], 'Cannot use the flag "--log.dirs": it has no value'],
    [["--lsteners=x"], 'Cannot use config "lsteners" (--lsteners): it is unknown, did you mean "listeners"'],
    [["--num.partitions=none"], "num.partitions"],
    [["--config", "/nonesuch.properties"], 'Cannot read "/nonesuch.properties"'],
  ])("%j is misuse in one line", async (flags, part) => {
    const { code, stdout, stderr } = await runCli(["start", ...flags]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(part);
    expect(stderr).toMatch(/^millrace: [^\n]+\n$/);
  });

  test("--help shows the configs", async () => {
    const { code, stdout } = await runCli(["start", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: millrace start");
    expect(stdout).toContain("--log.dirs=");
  });
});

describe("as a process", () => {
  test("exit codes tell success, failure and misuse; results and talk are apart", async () => {
    const topic = uniqueName("process");
    expect(await runCli(["topics", "create", topic, ...at()])).toMatchObject({ code: 0, stderr: "" });
    expect(await runCli(["topics", "create", topic, ...at()])).toMatchObject({ code: 1, stdout: "" });
    expect(await runCli(["topics", "crate", topic, ...at()])).toMatchObject({ code: 2, stdout: "" });
    const produced = await runCli(["produce", topic, ...at()], { input: "a\nb\n" });
    expect(produced).toMatchObject({
      code: 0,
      stdout: "",
      stderr: expect.stringContaining("Wrote 2 records"),
    });
    expect(await runCli(["consume", topic, "-e", ...at()])).toMatchObject({
      code: 0,
      stdout: "a\nb\n",
      stderr: "",
    });
  });

  test("no colour where nobody looks, colour where it is forced", async () => {
    const plain = await runCli(["topics", "list", ...at()]);
    expect(plain.stdout).not.toContain("\u001b[");
    const forced = await runCli(["topics", "list", ...at()], { environment: { FORCE_COLOR: "1" } });
    expect(forced.stdout).toContain("\u001b[1m");
    const both = { FORCE_COLOR: "1", NO_COLOR: "1" };
    expect((await runCli(["topics", "list", ...at()], { environment: both })).stdout).toBe(plain.stdout);
  });

  test("a reader that has had enough ends it without a complaint", async () => {
    const topic = uniqueName("pipe");
    const lines = Array.from({ length: 50_000 }, (_, index) => `line ${index}`).join("\n");
    await runCli(["produce", topic, ...at()], { input: lines });
    const command = `"${process.execPath}" "${binPath}" consume ${topic} -e -b ${broker.bootstrapServers} | head -2`;
    const { stdout, stderr } = await promisify(execFile)("bash", ["-c", command]);
    expect({ stdout, stderr }).toEqual({ stdout: "line 0\nline 1\n", stderr: "" });
  });

  test("Ctrl-C ends consume in order: offsets are stored, the group is left", async () => {
    const [topic, group] = [uniqueName("signal"), uniqueName("group")];
    await runCli(["produce", topic, ...at()], { input: "a\nb\n" });
    const consume = new CliProcess(["consume", topic, "-g", group, ...at()]);
    await waitUntil("both records", () => consume.stdout === "a\nb\n");
    consume.child.kill("SIGINT");
    expect(await within("its end", consume.finished)).toMatchObject({ code: 0 });
    const { stdout } = await runCli(["groups", "describe", group, "--json", ...at()]);
    expect(JSON.parse(stdout)).toMatchObject([{ state: "Empty", lag: 0 }]);
  });
});

test("produce and consume go on over a broker's crash, and nothing is lost or twice", async () => {
  await using directory = await temporaryDirectory();
  await using own = await BrokerProcess.start({ logDirectory: directory.path, port: await freePort() });
  const topic = uniqueName("crash");
  await runCli(["topics", "create", topic, "-p", "3", "-b", own.bootstrapServers]);
  const produce = new CliProcess(["produce", topic, "-K", ":", "-b", own.bootstrapServers]);
  const consume = new CliProcess(["consume", topic, "--from-beginning", "-b", own.bootstrapServers]);
  const lines = Array.from({ length: 3_000 }, (_, index) => `key-${index % 50}:value-${index}`);
  const seen = (): string[] => consume.stdout.split("\n").filter(Boolean);
  produce.child.stdin?.write(`${lines.slice(0, 1_000).join("\n")}\n`);
  await waitUntil("the first records", () => seen().length === 1_000);
  await own.kill();
  produce.child.stdin?.write(`${lines.slice(1_000, 2_000).join("\n")}\n`);
  await own.start();
  produce.child.stdin?.end(`${lines.slice(2_000).join("\n")}\n`);
  expect(await within("its end", produce.finished)).toMatchObject({ code: 0 });
  await waitUntil("all records", () => seen().length >= lines.length);
  consume.child.kill("SIGTERM");
  expect((await consume.finished).code).toBe(0);
  expect(seen().toSorted()).toEqual(lines.map((line) => line.slice(line.indexOf(":") + 1)).toSorted());
});

test("dump-log reads what a broker left, and finds what was damaged", async () => {
  await using directory = await temporaryDirectory();
  {
    await using own = await BrokerProcess.start({ logDirectory: directory.path });
    await runCli(["topics", "create", "dumped", "-b", own.bootstrapServers]);
    await runCli(["produce", "dumped", "-K", ":", "-z", "lz4", "-b", own.bootstrapServers], {
      input: "k:first\nk:second\n",
    });
  }
  const partition = join(directory.path, "dumped-0");
  const { code, stdout } = await runCli(["dump-log", partition, "--records"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/offsets 0-1 {2}position 0 .* 2 records {2}lz4/);
  expect(stdout).toContain('"topic":"dumped","partition":0,"offset":1');
  expect(stdout).toMatch(/1 batch, 2 records, offsets 0 to 1, .*, intact/);

  const journal = await runCli(["dump-log", join(directory.path, "journal"), "--records"]);
  expect(journal.code).toBe(0);
  expect(journal.stdout).toMatch(/"kind":"createTopic".*"name":"dumped"/);
  expect((await runCli(["dump-log", "--quiet", directory.path])).stdout).not.toContain("DAMAGE");

  const segment = join(partition, "00000000000000000000.log");
  execFileSync("bash", ["-c", `printf X | dd of="${segment}" bs=1 seek=70 conv=notrunc 2>/dev/null`]);
  const damaged = await runCli(["dump-log", "--quiet", partition]);
  expect(damaged.code).toBe(1);
  expect(damaged.stdout).toContain("DAMAGE at position 0: the batch's checksum does not match");
});

describe("an older Node", () => {
  /** Says that it is an old version, and else does what the real one does. */
  async function oldNode(directory: string): Promise<string> {
    const preload = join(directory, "old.cjs");
    await writeFile(
      preload,
      'if (!process.env.SEEN) { process.env.SEEN = "1"; Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } }); }',
    );
    const path = join(directory, "node");
    await writeFile(path, `#!/bin/sh\nexec "${process.execPath}" --require "${preload}" "$@"\n`);
    await chmod(path, 0o755);
    return path;
  }

  test("starts the Node that came with the package, which gets signals and gives its exit code", async () => {
    await using directory = await temporaryDirectory();
    const node = await oldNode(directory.path);
    expect(await runCli(["--version"], { node })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^millrace /),
    });
    expect(await runCli(["nonsense"], { node })).toMatchObject({ code: 2 });
    const flags = ["--listeners=PLAINTEXT://127.0.0.1:0", `--log.dirs=${directory.path}/data`];
    const start = new CliProcess(["start", ...flags], { node, input: "" });
    await waitUntil("the broker serving", () => start.stdout.includes('"msg":"serving"'));
    start.child.kill("SIGTERM");
    expect(await within("its end", start.finished)).toMatchObject({ code: 0 });
  });

  test("says what is missing where no Node came with the package", async () => {
    await using directory = await temporaryDirectory();
    const node = await oldNode(directory.path);
    // The same file at a place that has no node_modules above it.
    await mkdir(join(directory.path, "package"));
    execFileSync("cp", [binPath, join(directory.path, "package/millrace.js")]);
    await writeFile(join(directory.path, "package.json"), '{"type":"module"}');
    await symlink("package/millrace.js", join(directory.path, "millrace.js"));
    const run = promisify(execFile)(node, [join(directory.path, "package/millrace.js"), "--version"]);
    await expect(run).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("it needs Node 24 or later"),
    });
  });
});

test("bash completes with the script", async () => {
  await using directory = await temporaryDirectory();
  await symlink(binPath, join(directory.path, "millrace"));
  const script = `
    export PATH="${directory.path}:${process.execPath.replace(/\/node$/, "")}:$PATH"
    eval "$(millrace completion bash)"
    COMP_WORDS=(millrace topics de); COMP_CWORD=2
    _millrace
    echo "\${COMPREPLY[@]}"
  `;
  const { stdout } = await promisify(execFile)("bash", ["-c", script]);
  expect(stdout.trim()).toBe("describe delete");
});
