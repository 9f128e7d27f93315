import { Arguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import type { CommandTree } from "../command-lookup.ts";
import { type Candidate, candidatesFor } from "../completion-candidates.ts";
import { connectCluster } from "../connect.ts";
import { type ExitCode, exitCodes } from "../failure.ts";
import { connectionOptions } from "../tree/common-options.ts";
import type { World } from "../world.ts";
import { readGroups } from "./list-groups.ts";

/** Somebody waits with a finger on the tab key. */
const timeoutSeconds = "2";

/**
 * `millrace __complete`, which the completion scripts call with the words of the line so far, the last one unfinished:
 * prints what may come in place of the last word, with what it means.
 */
export async function completeWords(
  args: readonly string[],
  tree: CommandTree,
  world: World,
): Promise<ExitCode> {
  const words = args[0] === "--" ? args.slice(1) : args;
  const offer = candidatesFor(tree, words);
  const candidates =
    offer.kind === "candidates" ? offer.candidates : await namesOf(offer.kind, { words, world });
  const last = words.at(-1) ?? "";
  for (const { word, says } of candidates) {
    if (word.startsWith(last)) await world.terminal.write(`${word}\t${says}\n`);
  }
  return exitCodes.ok;
}

/** Names from the cluster that the line so far speaks of; none where it cannot be asked. */
async function namesOf(
  kind: "topic" | "group" | "file",
  { words, world }: { words: readonly string[]; world: World },
): Promise<readonly Candidate[]> {
  if (kind === "file") return [];
  try {
    using cluster = await connectCluster(connectionOf(words), world);
    if (kind === "group") {
      return (await readGroups(cluster)).map(({ name, state }) => ({ word: name, says: state }));
    }
    const { topics } = await cluster.metadata("all");
    return topics
      .filter(({ isInternal }) => !isInternal)
      .map(({ name, partitions }) => ({ word: name ?? "", says: `${partitions.length} partitions` }));
  } catch {
    // Nothing useful can be said on a half-typed line.
    return [];
  }
}

function connectionOf(words: readonly string[]): Arguments {
  const options = connectionOptions.map(({ name, short }) => ({ name, flags: [`--${name}`, `-${short}`] }));
  const values = new Map<string, readonly string[]>([["timeout", [timeoutSeconds]]]);
  words.slice(0, -1).forEach((word, index) => {
    const [flag, attached] = word.split("=", 2);
    const option = options.find(({ flags }) => flags.includes(flag ?? ""));
    const value = attached ?? words[index + 1];
    if (option && option.name !== "timeout" && value) values.set(option.name, [value]);
  });
  return new Arguments(connecting, [], values);
}

/** Stands for the half-typed command where only its connection matters. */
const connecting: Command = {
  name: "__complete",
  summary: "",
  positionals: [],
  options: connectionOptions,
  load: () => Promise.reject(new Error("it is never run")),
};
