import { nearestName } from "../config/nearest-name.ts";
import { parseArguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { allCommands, findCommand } from "./command-lookup.ts";
import { commandTree } from "./command-tree.ts";
import { explain } from "./explain.ts";
import { type ExitCode, exitCodes, UsageError } from "./failure.ts";
import { commandHelp, groupHelp, programHelp } from "./help.ts";
import { styled } from "./style.ts";
import type { World } from "./world.ts";

/** Runs one command line, without the program's name; failures are told on the terminal, and never thrown. */
export async function run(args: readonly string[], world: World, version: string): Promise<ExitCode> {
  try {
    return await dispatch(args, world, version);
  } catch (error) {
    const { message, hint, exitCode } = explain(error);
    const { terminal } = world;
    const label = styled("millrace:", "red", terminal.hasErrorColour);
    terminal.writeError(`${label} ${message}\n${hint === undefined ? "" : `  ${hint}\n`}`);
    return exitCode;
  }
}

async function dispatch(args: readonly string[], world: World, version: string): Promise<ExitCode> {
  const { terminal } = world;
  const [first] = args;
  if (first === undefined) {
    terminal.writeError(programHelp(commandTree, terminal.hasErrorColour));
    return exitCodes.misused;
  }
  if (first === "--version") {
    await terminal.write(`millrace ${version} (node ${process.version})\n`);
    return exitCodes.ok;
  }
  if (first === "__complete") {
    const { completeWords } = await import("./commands/complete-words.ts");
    return await completeWords(args.slice(1), commandTree, world);
  }
  const found = findCommand(commandTree, args);
  if (found) return await execute(found.command, found.rest, world);
  return await help(args, world);
}

async function execute(command: Command, rest: readonly string[], world: World): Promise<ExitCode> {
  const { terminal } = world;
  if (!command.takesRawWords && asksForHelp(rest)) {
    await terminal.write(commandHelp(command, terminal.hasColour));
    return exitCodes.ok;
  }
  const given = parseArguments(
    command.takesRawWords ? rawWords(command) : command,
    command.takesRawWords ? ["--", ...rest] : rest,
  );
  const work = await command.load();
  return await work(given, world);
}

/** `millrace --help`, `millrace topics`, `millrace help topics create`, and words that name no command. */
async function help(args: readonly string[], { terminal }: World): Promise<ExitCode> {
  const isAsked = asksForHelp(args) || args[0] === "help";
  const words = args.filter((word) => word !== "help" && word !== "-h" && word !== "--help");
  const found = findCommand(commandTree, words);
  const group = commandTree.find((node) => node.name === words[0]);
  const isGroup = words.length === 1 && group !== undefined && "commands" in group;
  const show = (hasColour: boolean): string | undefined => {
    if (words.length === 0) return programHelp(commandTree, hasColour);
    if (found) return commandHelp(found.command, hasColour);
    return isGroup ? groupHelp(group, hasColour) : undefined;
  };
  const text = show(isAsked ? terminal.hasColour : terminal.hasErrorColour);
  if (text === undefined) throw new UsageError(unknownCommand(words));
  if (isAsked) await terminal.write(text);
  else terminal.writeError(text);
  return isAsked ? exitCodes.ok : exitCodes.misused;
}

function unknownCommand(words: readonly string[]): string {
  const flag = words.find((word) => word.startsWith("-"));
  if (flag !== undefined && words[0] === flag) {
    return `Cannot use the flag "${flag}": a command comes first, see "millrace --help"`;
  }
  const typed = words
    .filter((word) => !word.startsWith("-"))
    .slice(0, 3)
    .join(" ");
  const names = allCommands(commandTree).map(({ name }) => name);
  const nearest =
    nearestName(typed, names) ??
    nearestName(
      words[0] ?? "",
      commandTree.map(({ name }) => name),
    );
  const instead = nearest ? `did you mean "millrace ${nearest}"` : `see "millrace --help"`;
  return `Cannot run "millrace ${typed}": there is no such command, ${instead}`;
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).some((word) => word === "--help" || word === "-h");
}

/** A command that takes its words as they are, as the parser sees it. */
function rawWords(command: Command): Command {
  return { ...command, positionals: [{ name: "WORD", takes: "any" }] };
}
