import type { Command, Completion, Option } from "./command.ts";
import { allCommands, type CommandTree, findCommand } from "./command-lookup.ts";

/** A word that may come next, and what it means. */
export interface Candidate {
  readonly word: string;
  readonly says: string;
}

/** What may come in place of the last word: these, or names that must be asked for. */
export type Offer =
  | { readonly kind: "candidates"; readonly candidates: readonly Candidate[] }
  | { readonly kind: "topic" | "group" | "file" };

/** `words` is the line without the program; its last word is the one to complete, and may be empty. */
export function candidatesFor(tree: CommandTree, words: readonly string[]): Offer {
  const before = words.slice(0, -1);
  const last = words.at(-1) ?? "";
  const found = findCommand(tree, before);
  if (!found) return offer(commandWords(tree, before));

  const { command, rest } = found;
  // A command may have others below it: "cluster", "cluster maintenance".
  const deeper = rest.length === 0 && !last.startsWith("-") ? commandWords(tree, before) : [];
  if (deeper.length > 0) return offer(deeper);
  const awaiting = optionAwaitingValue(command, rest);
  if (awaiting) return offerOf(awaiting.completes ?? "file");
  if (last.startsWith("-")) return offer(flagsOf(command, rest));
  const position =
    command.positionals[Math.min(plainWordCount(command, rest), command.positionals.length - 1)];
  return position?.completes ? offerOf(position.completes) : offer([]);
}

function commandWords(tree: CommandTree, before: readonly string[]): readonly Candidate[] {
  const next = new Map<string, string>();
  for (const { name, summary } of allCommands(tree)) {
    const words = name.split(" ");
    const word = words[before.length];
    if (word === undefined || !before.every((one, index) => words[index] === one)) continue;
    const isLast = words.length === before.length + 1;
    const group = tree.find((node) => node.name === words[0]);
    if (!next.has(word)) next.set(word, isLast ? summary : (group?.summary ?? summary));
  }
  return [...next].map(([word, says]) => ({ word, says }));
}

function flagsOf({ options }: Command, rest: readonly string[]): readonly Candidate[] {
  return options
    .filter(({ name, isRepeated }) => isRepeated || !rest.includes(`--${name}`))
    .map(({ name, summary }) => ({ word: `--${name}`, says: summary }));
}

function optionAwaitingValue(command: Command, rest: readonly string[]): Option | undefined {
  const previous = rest.at(-1);
  return previous === undefined ? undefined : optionOf(command, previous);
}

/** Words so far that are neither flags nor their values. */
function plainWordCount(command: Command, rest: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? "";
    if (optionOf(command, word)) index++;
    else if (!word.startsWith("-")) count++;
  }
  return count;
}

/** The flag that `word` is, if its value is the next word. */
function optionOf({ options }: Command, word: string): Option | undefined {
  return options.find(
    ({ name, short, value }) => value !== undefined && (word === `--${name}` || word === `-${short}`),
  );
}

function offer(candidates: readonly Candidate[]): Offer {
  return { kind: "candidates", candidates };
}

function offerOf(completes: Completion): Offer {
  return typeof completes === "string"
    ? { kind: completes }
    : offer(completes.map((word) => ({ word, says: "" })));
}
