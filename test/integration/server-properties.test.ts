import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { freePort } from "./free-port.ts";
import { type TemporaryDirectory, temporaryDirectory } from "./temporary-directory.ts";
import { within } from "./wait-until.ts";

/** What a start by a properties file came to. */
interface Start {
  /** Kafka's configs that the log said mean nothing here; one entry per line that said so. */
  readonly withoutEffect: readonly (readonly string[])[];
  readonly warnings: readonly string[];
  /** Undefined where the broker refused to start. */
  readonly serving: { readonly nodeId: number; readonly ports: readonly number[] } | undefined;
  readonly code: number | null;
  readonly stderr: string;
}

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly configs?: readonly string[];
  readonly nodeId?: number;
  readonly listeners?: readonly { readonly port: number }[];
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const warnLevel = 40;

describe("Kafka's own properties files", () => {
  test("the file of a combined KRaft node starts the broker as it is", async () => {
    await using directory = await temporaryDirectory();
    const [port, controllerPort] = [await freePort(), await freePort()];

    const start = await startWith(directory, kraftNode(directory.path, port, controllerPort));

    expect(start.stderr).toBe("");
    expect(start.serving).toEqual({ nodeId: 1, ports: [port] });
    expect(start.code).toBe(0);
    expect(start.withoutEffect).toEqual([
      [
        "inter.broker.listener.name",
        "share.coordinator.state.topic.min.isr",
        "share.coordinator.state.topic.replication.factor",
        "transaction.state.log.min.isr",
        "transaction.state.log.replication.factor",
      ],
    ]);
    expect(start.warnings).toEqual([]);
  });

  test("the file that Kafka 4.3 is shipped with starts the broker as it is", async () => {
    await using directory = await temporaryDirectory();
    const [port, controllerPort] = [await freePort(), await freePort()];

    const start = await startWith(directory, shippedFile(directory.path, port, controllerPort));

    expect(start.stderr).toBe("");
    expect(start.serving).toEqual({ nodeId: 1, ports: [port] });
    expect(start.code).toBe(0);
    // The one line names each config without effect once.
    expect(start.withoutEffect).toHaveLength(1);
    const [named = []] = start.withoutEffect;
    expect(new Set(named).size).toBe(named.length);
    expect(named).not.toContain("controller.quorum.bootstrap.servers");
    expect(named).toContain("num.io.threads");
    expect(named).not.toContain("log.dirs");
    expect(named).not.toContain("log.segment.bytes");
  });

  test("an unknown key is refused with a suggestion and exit code 2", async () => {
    await using directory = await temporaryDirectory();
    const text = `${kraftNode(directory.path, await freePort(), await freePort())}\nlog.retention.hour=3\n`;

    const start = await startWith(directory, text);

    expect(start.serving).toBeUndefined();
    expect(start.code).toBe(2);
    expect(start.stderr.trim().split("\n")).toEqual([
      expect.stringMatching(
        /^millrace: Cannot use config "log\.retention\.hour" \(.*node\.properties line 19\): it is unknown, did you mean "log\.retention\.hours"$/,
      ),
    ]);
  });

  test("all problems of a file are reported at once", async () => {
    await using directory = await temporaryDirectory();
    const text = [
      "process.roles=broker,controller",
      "node.id=one",
      "listeners=PLAINTEXT://127.0.0.1:0",
      `log.dirs=${directory.path}`,
      "num.partitons=1",
      "log.segment.bytes=13",
      "log.cleanup.policy=remove",
      "retention.ms=1000",
    ].join("\n");

    const start = await startWith(directory, text);

    expect(start.code).toBe(2);
    const complaints = start.stderr.trim().split("\n");
    const about = ["node.id", "num.partitons", "log.segment.bytes", "log.cleanup.policy", "retention.ms"];
    // In the order of the file, one line each.
    expect(complaints).toEqual(about.map((key) => expect.stringContaining(key)));
    expect(complaints).toContainEqual(expect.stringContaining('did you mean "num.partitions"'));
    expect(complaints).toContainEqual(expect.stringContaining('"log.retention.ms"'));
    expect(complaints.every((line) => line.startsWith("millrace: "))).toBe(true);
  });

  test("a file that is not there is one line and exit code 2", async () => {
    const { code, stderr } = await run(["--config", "/nowhere/server.properties"]);

    expect(code).toBe(2);
    expect(stderr).toMatch(/^millrace: Cannot read "\/nowhere\/server\.properties": .*ENOENT.*\n$/);
  });
});

/** The least that a combined node of a one-node cluster says, with the settings that such a cluster needs. */
function kraftNode(directory: string, port: number, controllerPort: number): string {
  return [
    "process.roles=broker,controller",
    "node.id=1",
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name=PLAINTEXT",
    "controller.listener.names=CONTROLLER",
    `log.dirs=${directory}/data`,
    "num.partitions=1",
    "default.replication.factor=1",
    "min.insync.replicas=1",
    "offsets.topic.replication.factor=1",
    "transaction.state.log.replication.factor=1",
    "transaction.state.log.min.isr=1",
    "share.coordinator.state.topic.replication.factor=1",
    "share.coordinator.state.topic.min.isr=1",
    "group.initial.rebalance.delay.ms=0",
  ].join("\n");
}

/** The keys of Kafka 4.3's config/server.properties; only ports and the directory are this test's. */
function shippedFile(directory: string, port: number, controllerPort: number): string {
  return [
    "############################# Server Basics #############################",
    "",
    "process.roles=broker,controller",
    "node.id=1",
    `controller.quorum.bootstrap.servers=localhost:${controllerPort}`,
    "",
    "############################# Socket Server Settings #############################",
    `listeners=PLAINTEXT://:${port},CONTROLLER://:${controllerPort}`,
    "inter.broker.listener.name=PLAINTEXT",
    `advertised.listeners=PLAINTEXT://localhost:${port},CONTROLLER://localhost:${controllerPort}`,
    "controller.listener.names=CONTROLLER",
    "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
    "num.network.threads=3",
    "num.io.threads=8",
    "socket.send.buffer.bytes=102400",
    "socket.receive.buffer.bytes=102400",
    "socket.request.max.bytes=104857600",
    `log.dirs=${directory}/kraft-combined-logs`,
    "num.partitions=1",
    "num.recovery.threads.per.data.dir=1",
    "offsets.topic.replication.factor=1",
    "share.coordinator.state.topic.replication.factor=1",
    "share.coordinator.state.topic.min.isr=1",
    "transaction.state.log.replication.factor=1",
    "transaction.state.log.min.isr=1",
    "#log.flush.interval.messages=10000",
    "#log.flush.interval.ms=1000",
    "log.retention.hours=168",
    "#log.retention.bytes=1073741824",
    "log.segment.bytes=1073741824",
    "log.retention.check.interval.ms=300000",
  ].join("\n");
}

/** Starts the broker with nothing but the file, and ends it once it serves. */
async function startWith(directory: TemporaryDirectory, properties: string): Promise<Start> {
  const path = join(directory.path, "node.properties");
  await writeFile(path, properties);
  return await run(["--config", path]);
}

async function run(args: readonly string[]): Promise<Start> {
  // The status pages' usual address may be another suite's just now, which would be worth a warning.
  const flags = [...args, "--millrace.http.listener=off"];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "src/main.ts", ...flags], {
    cwd: root,
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("MILLRACE_"))),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    // Asked only once: who asks again does not wait for an orderly end.
    if (!child.killed && stdout.includes('"msg":"serving"')) child.kill("SIGTERM");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  try {
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const code = await within("broker's end", ended, 30_000);
    return { ...read(stdout), code, stderr };
  } finally {
    child.kill("SIGKILL");
  }
}

function read(log: string): Pick<Start, "withoutEffect" | "warnings" | "serving"> {
  const lines = log.split("\n").filter(Boolean);
  const parsed = lines.map((line) => JSON.parse(line) as Line);
  const serving = parsed.find(({ msg }) => msg === "serving");
  return {
    withoutEffect: parsed
      .filter(({ msg }) => msg === "these configs have no effect here")
      .map(({ configs = [] }) => configs),
    warnings: parsed.filter(({ level }) => level >= warnLevel).map(({ msg }) => msg),
    serving: serving && {
      nodeId: serving.nodeId ?? -1,
      ports: (serving.listeners ?? []).map(({ port }) => port),
    },
  };
}
