import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { HostFaults, RaftFactory } from "./explored-group.ts";

/** A mistake that exploration has to find: some text of the core replaced, or a host that breaks its word. */
export interface PlantedBug {
  readonly name: string;
  readonly patch?: { readonly file: string; readonly from: string; readonly to: string };
  readonly host?: HostFaults;
  /** Sequences within which it must be found. */
  readonly sequencesMax: number;
  /** Only a group that does not recover gives it away. */
  readonly isLiveness?: boolean;
}

/** Mistakes that real implementations have made, and the rules of Raft left out one by one. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "the leader counts itself before its disk has the entry",
    patch: {
      file: "leader.ts",
      from: "own.matchIndex = this.#state.log.persistedIndex;",
      to: "own.matchIndex = this.#state.log.lastIndex;",
    },
    sequencesMax: 5_000,
  },
  {
    name: "a follower acknowledges before its disk has the entries",
    patch: {
      file: "follower.ts",
      from: 'this.#state.sendDurably({ kind: "appendAccepted"',
      to: 'this.#state.send({ kind: "appendAccepted"',
    },
    sequencesMax: 5_000,
  },
  {
    name: "a vote is sent before it is durable",
    patch: { file: "voting.ts", from: "state.sendDurably(answer);", to: "state.send(answer);" },
    sequencesMax: 5_000,
  },
  {
    name: "an entry of an earlier term is committed by counting",
    patch: {
      file: "leader.ts",
      from: " || log.termAt(index) !== this.#state.term) return;",
      to: ") return;",
    },
    sequencesMax: 30_000,
  },
  {
    name: "anybody gets a vote, however old its log",
    patch: {
      file: "voting.ts",
      from: "const isGranted = isFree && state.log.isUpToDate(vote.lastIndex, vote.lastTerm);",
      to: "const isGranted = isFree;",
    },
    sequencesMax: 5_000,
  },
  {
    name: "only the length of logs is compared, not their last term",
    patch: {
      file: "raft-log.ts",
      from: "return term > this.#lastTerm || (term === this.#lastTerm && index >= this.#lastIndex);",
      to: "return term >= 0 && index >= this.#lastIndex;",
    },
    sequencesMax: 5_000,
  },
  {
    name: "an append cuts off what it does not speak of",
    patch: {
      file: "follower.ts",
      from: "if (log.matches(entry.index, entry.term)) continue;",
      to: "",
    },
    sequencesMax: 5_000,
  },
  {
    name: "an append is taken without looking at the entry before it",
    patch: {
      file: "follower.ts",
      from: "if (!log.matches(append.previousIndex, append.previousTerm)) {",
      to: "if (append.previousIndex > log.lastIndex) {",
    },
    sequencesMax: 5_000,
  },
  {
    name: "a heartbeat carries the leader's whole commit index",
    patch: {
      file: "leader.ts",
      from: "const commitIndex = Math.min(log.commitIndex, progress.matchIndex);",
      to: "const commitIndex = progress.matchIndex >= 0 ? log.commitIndex : 0;",
    },
    sequencesMax: 5_000,
  },
  {
    name: "a write counts for entries that were truncated since",
    patch: {
      file: "durable-writes.ts",
      from: "write.lastIndex = Math.min(write.lastIndex, index - 1);",
      to: "write.lastIndex = Math.max(write.lastIndex, index - 1);",
    },
    sequencesMax: 5_000,
  },
  {
    name: "one half of a joint configuration is enough",
    patch: {
      file: "quorum.ts",
      from: "return Math.min(reachedByMajority(voters, reachedBy), reachedByMajority(outgoing, reachedBy));",
      to: "return outgoing.length > 0 ? reachedByMajority(voters, reachedBy) : reachedByMajority(voters, reachedBy);",
    },
    sequencesMax: 5_000,
  },
  {
    name: "a configuration follows one that is not committed",
    patch: {
      file: "leader.ts",
      from: 'if (this.#state.log.commitIndex < this.#pendingChangeIndex) return "change-pending";',
      to: "",
    },
    sequencesMax: 5_000,
  },
  {
    name: "a read is not confirmed by a majority",
    patch: {
      file: "leader.ts",
      from: "voter === id ? Infinity : (this.#progress.get(voter)?.readContext ?? 0),",
      to: "voter === id ? Infinity : Infinity,",
    },
    sequencesMax: 5_000,
  },
  {
    name: "a new leader reads before it has committed in its term",
    patch: {
      file: "leader.ts",
      from: "if (this.hasCommittedInTerm) this.#reads.add(",
      to: "if (this.#firstIndex > 0) this.#reads.add(",
    },
    sequencesMax: 5_000,
  },
  {
    name: "a PreVote moves the term",
    patch: {
      file: "raft.ts",
      from: 'if (message.kind === "vote") return message.preVote;',
      to: 'if (message.kind === "vote") return false;',
    },
    sequencesMax: 5_000,
  },
  {
    name: "a refused probe is repeated at the same place",
    patch: {
      file: "progress.ts",
      from: "this.nextIndex = Math.max(Math.min(rejectedIndex, hintIndex + 1), this.matchIndex + 1);",
      to: "",
    },
    sequencesMax: 5_000,
    isLiveness: true,
  },
  {
    name: "a stream whose messages were lost is not checked",
    patch: {
      file: "replicator.ts",
      from: 'if (progress.state === "replicate" && isBehind) progress.isCheckDue = true;',
      to: "",
    },
    sequencesMax: 5_000,
    isLiveness: true,
  },
  {
    name: "an installed point keeps the old configuration",
    patch: {
      file: "raft.ts",
      from: "configurations.restart(point.configuration);",
      to: "configurations.restart(configurations.current);",
    },
    sequencesMax: 30_000,
  },
  {
    name: "the host says that a write is durable when it is not",
    host: { persistsEarly: true },
    sequencesMax: 5_000,
  },
  { name: "a crash takes the vote along", host: { forgetsVote: true }, sequencesMax: 30_000 },
  { name: "a wiped disk keeps its identity", host: { keepsIdentity: true }, sequencesMax: 5_000 },
  {
    name: "a replica comes back in the term in which it left",
    host: { rejoinsAtOnce: true },
    sequencesMax: 5_000,
  },
  {
    name: "what was given up is acknowledged all the same",
    patch: {
      file: "durable-writes.ts",
      from: "write.messages = keptOf(write.messages, index);",
      to: "write.lastIndex += 0;",
    },
    sequencesMax: 30_000,
  },
];

const root = join(import.meta.dirname, "../../../../..");
const core = join(root, "raft/core");

/** A core with the bug in it, loaded from a copy that `remove` takes away. */
export async function loadWithBug(bug: PlantedBug): Promise<{ factory: RaftFactory; remove: () => void }> {
  const name = bug.name.replaceAll(/[^a-z]+/gi, "-");
  const copy = join(root, ".cache/planted-bugs", `${process.pid}-${name}`);
  mkdirSync(copy, { recursive: true });
  cpSync(core, copy, { recursive: true });
  if (bug.patch) {
    const path = join(copy, bug.patch.file);
    const source = readFileSync(path, "utf8");
    if (source.split(bug.patch.from).length !== 2) {
      throw new Error(
        `Cannot plant "${bug.name}": its place in ${bug.patch.file} is not there, or not alone`,
      );
    }
    writeFileSync(path, source.replace(bug.patch.from, bug.patch.to));
  }
  const module: typeof import("#raft/core/raft.ts") = await import(
    /* @vite-ignore */ pathToFileURL(join(copy, "raft.ts")).href
  );
  return {
    factory: (options) => new module.Raft(options),
    remove: () => rmSync(copy, { recursive: true, force: true }),
  };
}
