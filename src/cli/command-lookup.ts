import type { Command, CommandGroup } from "./command.ts";

/** Commands and groups of commands, in the order in which help shows them. */
export type CommandTree = readonly (Command | CommandGroup)[];

/** Every command, those of groups among the others. */
export function allCommands(tree: CommandTree): readonly Command[] {
  return tree.flatMap((node) => ("commands" in node ? node.commands : [node]));
}

/** The command with the longest name that the words begin with, and what comes after it. */
export function findCommand(
  tree: CommandTree,
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } | undefined {
  let found: { readonly command: Command; readonly rest: readonly string[] } | undefined;
  for (const command of allCommands(tree)) {
    const name = command.name.split(" ");
    if (!name.every((word, index) => words[index] === word)) continue;
    const rest = words.slice(name.length);
    if (!found || rest.length < found.rest.length) found = { command, rest };
  }
  return found;
}
