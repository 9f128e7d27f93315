import { execFile, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kafkaScript, kafkaToolsMissing } from "../integration/kafka-tools/kafka-tools.ts";
import { uniqueName, useBroker } from "../integration/test-broker.ts";
import { goMissing, goSources } from "./go-client.ts";
import { javaLauncher } from "./java-client.ts";
import { kcatMissing } from "./kcat-process.ts";
import { preparePython } from "./python-client.ts";
import { type Snippet, snippetsOf } from "./snippets.ts";

// What README.md and docs/clients.md show is run as it stands there: only the broker's address and the topic change.

const broker = useBroker();
const root = fileURLToPath(new URL("../../", import.meta.url));
/** Inside the repository, where the packages are found that a reader would have installed. */
const cache = join(root, ".cache/snippets");
const runMsMax = 100_000;
const librdkafka = await preparePython({ module: "librdkafka", requirements: ["confluent-kafka==2.16.1"] });
const kafkaPython = await preparePython({
  module: "kafka_python",
  requirements: [
    "kafka-python==3.0.12",
    "crc32c==2.9.post0",
    "lz4==4.4.5",
    "python-snappy==0.7.3",
    "zstandard==0.25.0",
  ],
});

/** How to run a snippet that is in a file; a reason instead where it cannot be run here. */
interface Runner {
  readonly fileName: string;
  readonly missing: string | undefined;
  command(file: string): { program: string; arguments: readonly string[]; directory?: string };
}

let directory = "";
beforeAll(async () => {
  await mkdir(cache, { recursive: true });
  directory = await mkdtemp(join(cache, "run-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

const snippets = [...(await snippetsOf("README.md")), ...(await snippetsOf("docs/clients.md"))].flatMap(
  (snippet) => {
    const runner = runnerOf(snippet);
    return runner ? [{ snippet, runner }] : [];
  },
);

describe("the documentation's programs", () => {
  test("there is one of each language", () => {
    const languages = new Set(snippets.map(({ snippet }) => snippet.language));
    expect([...languages].toSorted()).toEqual(["go", "java", "js", "py", "sh", "ts"]);
  });

  for (const { snippet, runner } of snippets) {
    const reason = runner.missing ? `: ${runner.missing}` : "";
    test.skipIf(runner.missing !== undefined)(`${snippet.place} (${snippet.language})${reason}`, async () => {
      const file = join(await mkdtemp(join(directory, "snippet-")), runner.fileName);
      const topic = uniqueName("greetings");
      await writeFile(
        file,
        snippet.text.replaceAll("127.0.0.1:9092", broker.bootstrapServers).replaceAll("greetings", topic),
      );
      const { program, arguments: arguments_, directory: cwd = root } = runner.command(file);
      const { stdout } = await promisify(execFile)(program, [...arguments_], {
        cwd,
        timeout: runMsMax,
        env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers },
      });
      if (snippet.text.includes("greetings")) expect(stdout).toContain("0 en: hello");
    });
  }
});

/** Undefined for what is no program: how to install, start and test. */
function runnerOf({ language, text }: Snippet): Runner | undefined {
  switch (language) {
    case "js":
    case "ts":
      return {
        fileName: language === "js" ? "hello.mjs" : "hello.ts",
        missing: undefined,
        command: (file) => ({ program: process.execPath, arguments: [file] }),
      };
    case "py": {
      const prepared = text.includes("confluent_kafka") ? librdkafka : kafkaPython;
      return {
        fileName: "hello.py",
        missing: prepared.kind === "missing" ? prepared.reason : undefined,
        command: (file) => ({
          program: prepared.kind === "ready" ? prepared.program.command : "",
          arguments: [file],
        }),
      };
    }
    case "go":
      return {
        fileName: "hello.go",
        missing: goMissing(),
        // In the module that has the clients.
        command: (file) => ({ program: "go", arguments: ["run", file], directory: goSources }),
      };
    case "java":
      return {
        fileName: "Hello.java",
        missing: kafkaToolsMissing,
        command: (file) => ({ program: kafkaScript, arguments: ["tool", javaLauncher, file] }),
      };
    case "sh":
      // What is shown of a cluster, test/integration/supervisor runs.
      if (text.includes("local-cluster") || text.includes("payments")) return undefined;
      if (text.includes("kcat")) return shell(kcatMissing);
      return text.includes("npx millrace") ? shell(undefined) : undefined;
    default:
      return undefined;
  }
}

function shell(missing: string | undefined): Runner {
  const withoutShell = spawnSync("sh", ["-c", "true"]).error ? "there is no shell" : undefined;
  return {
    fileName: "hello.sh",
    missing: missing ?? withoutShell,
    command: (file) => ({ program: "sh", arguments: ["-e", file] }),
  };
}
