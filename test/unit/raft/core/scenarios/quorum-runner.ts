import { reachedByQuorum, voteResult } from "#raft/core/quorum.ts";
import type { ReplicaId } from "#raft/core/replica-id.ts";
import { parseCommand, parseList } from "./transcript.ts";

/** `reached` and `vote` for voters, and outgoing voters where the configuration is joint. */
export function runQuorumCommand(line: string): string {
  const { name, options } = parseCommand(line);
  const voters = parseList(options.get("voters"));
  const outgoing = parseList(options.get("outgoing"));
  const ids = [...new Set([...voters, ...outgoing])];
  const words = options.get(name === "vote" ? "votes" : "indexes")?.match(/[\w]+/g) ?? [];
  const told = new Map<ReplicaId, string>();
  for (const [i, id] of ids.entries()) told.set(id, words[i] ?? "_");
  if (name === "vote") {
    return voteResult({ voters, outgoing }, (id) => ({ y: true, n: false })[told.get(id) ?? ""]);
  }
  if (name !== "reached") throw new Error(`Cannot run command "${name}": unknown`);
  return `${reachedByQuorum({ voters, outgoing }, (id) => Number(told.get(id)) || 0)}`;
}
