import type { Command, CommandGroup, Option, Positional } from "./command.ts";
import type { CommandTree } from "./command-lookup.ts";
import { styled } from "./style.ts";

/** What `millrace --help` shows. */
export function programHelp(tree: CommandTree, hasColour: boolean): string {
  const commands = tree.map(({ name, summary }) => [name, summary] as const);
  return [
    "Millrace, a durable Kafka-protocol log broker, and tools for it and for other Kafka clusters",
    "",
    heading("Usage", hasColour),
    "  millrace COMMAND [FLAG]...",
    "",
    heading("Commands", hasColour),
    ...columns(commands),
    "",
    heading("Flags", hasColour),
    ...columns([
      ["-h, --help", "show help; with a command, its own"],
      ["--version", "show the version"],
    ]),
    "",
    "Exit codes: 0 success, 1 failure, 2 misuse, 130 interrupted. NO_COLOR turns colour off.",
    "",
  ].join("\n");
}

/** What `millrace topics --help` shows. */
export function groupHelp(group: CommandGroup, hasColour: boolean): string {
  const commands = group.commands.map(({ name, summary }) => [name, summary] as const);
  return [
    sentence(group.summary),
    "",
    heading("Usage", hasColour),
    `  millrace ${group.name} COMMAND [FLAG]...`,
    "",
    heading("Commands", hasColour),
    ...columns(commands),
    "",
    `"millrace ${group.commands[0]?.name ?? group.name} --help" tells more about one.`,
    "",
  ].join("\n");
}

/** What `millrace topics create --help` shows. */
export function commandHelp(command: Command, hasColour: boolean): string {
  const { summary, description = [], options, examples = [] } = command;
  const lines = [sentence(summary), "", heading("Usage", hasColour), `  millrace ${usage(command)}`, ""];
  if (description.length > 0) lines.push(...description, "");
  if (options.length > 0) {
    lines.push(heading("Flags", hasColour), ...columns(options.map((one) => [flag(one), one.summary])), "");
  }
  if (examples.length > 0) {
    lines.push(heading("Examples", hasColour));
    for (const { line, says } of examples) lines.push(styled(`  # ${says}`, "dim", hasColour), `  ${line}`);
    lines.push("");
  }
  return lines.join("\n");
}

function usage({ name, positionals, options }: Command): string {
  const flags = options.length > 0 ? " [FLAG]..." : "";
  return `${name}${positionals.map((one) => ` ${positionalUsage(one)}`).join("")}${flags}`;
}

function positionalUsage({ name, takes }: Positional): string {
  switch (takes) {
    case "one":
      return name;
    case "optional":
      return `[${name}]`;
    case "some":
      return `${name}...`;
    case "any":
      return `[${name}]...`;
    default:
      return takes satisfies never;
  }
}

function flag({ name, short, value }: Option): string {
  return `${short ? `-${short}, ` : "    "}--${name}${value === undefined ? "" : ` ${value}`}`;
}

function columns(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function heading(text: string, hasColour: boolean): string {
  return styled(`${text}:`, "bold", hasColour);
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
