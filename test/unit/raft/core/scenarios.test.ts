import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { configurationOf, quorumCommandOf, quorumResultOf, readEtcdFile } from "./scenarios/etcd-source.ts";
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

const majorities = etcdScenarios.quorum.map((name) => [name] as const);

test.skipIf(!existsSync(shared)).each(majorities)("%s decides as etcd does", (name) => {
  const directives = readEtcdFile(join(shared, "quorum", `${name}.txt`));
  expect(directives.length).toBeGreaterThan(10);
  for (const { input, output } of directives) {
    expect(runQuorumCommand(quorumCommandOf(input)), input).toBe(quorumResultOf(output));
  }
});

const changes = etcdScenarios.confchange.filter((name) => !notApplicable[`confchange/${name}`]);

test.skipIf(!existsSync(shared)).each(changes)("%s changes as in etcd", (name) => {
  const runner = new MembershipRunner();
  for (const { input, output } of readEtcdFile(join(shared, "confchange", `${name}.txt`))) {
    expect(runner.run(input.replace("autoleave", "auto-leave")), input).toBe(configurationOf(output));
  }
});
