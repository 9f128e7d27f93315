import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { etcdScenarios, notApplicable } from "./scenarios/mapping.ts";
import { MembershipRunner } from "./scenarios/membership-runner.ts";
import { runQuorumCommand } from "./scenarios/quorum-runner.ts";
import { ScenarioRunner } from "./scenarios/scenario-runner.ts";
import { formatTranscript, parseTranscript } from "./scenarios/transcript.ts";

const directory = join(import.meta.dirname, "scenarios");
const folders = ["confchange", "interaction", "quorum"] as const;

function runnerOf(folder: (typeof folders)[number]): (line: string) => string {
  if (folder === "quorum") return runQuorumCommand;
  const runner = folder === "confchange" ? new MembershipRunner() : new ScenarioRunner();
  return (line) => runner.run(line);
}

function transcriptNames(folder: string): string[] {
  return readdirSync(join(directory, folder)).map((file) => file.replace(/\.txt$/, ""));
}

describe.each(folders)("scenarios of %s", (folder) => {
  test.each(transcriptNames(folder))("%s", (name) => {
    const path = join(directory, folder, `${name}.txt`);
    const transcript = parseTranscript(readFileSync(path, "utf8"));
    const run = runnerOf(folder);
    const outputs: string[] = [];
    for (const { command, expected } of transcript.steps) {
      const output = run(command);
      outputs.push(output);
      // MILLRACE_REWRITE=1 takes what comes for right: read the difference before it is committed.
      if (!process.env.MILLRACE_REWRITE) expect.soft(output, `${name}: ${command}`).toBe(expected);
    }
    if (process.env.MILLRACE_REWRITE) writeFileSync(path, formatTranscript(transcript, outputs));
  });

  test("each is expressed under its own name, or there is a reason", () => {
    const expressed = transcriptNames(folder);
    for (const name of etcdScenarios[folder]) {
      const isExpressed = expressed.includes(name);
      expect(isExpressed !== (notApplicable[`${folder}/${name}`] !== undefined), name).toBe(true);
    }
  });
});

const shared = join(import.meta.dirname, "../../../../../shared/raft/etcd-scenarios");

test.skipIf(!existsSync(shared))("none of etcd's scenarios is missing (skipped without ../shared)", () => {
  for (const folder of folders) {
    const names = readdirSync(join(shared, folder)).map((file) => file.replace(/\.txt$/, ""));
    expect(names.sort()).toEqual([...etcdScenarios[folder]].sort());
  }
});
