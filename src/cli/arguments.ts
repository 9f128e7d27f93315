import assert from "node:assert/strict";
import { nearestName } from "../config/nearest-name.ts";
import type { Command, Option } from "./command.ts";
import { UsageError } from "./failure.ts";

/** A command line, taken apart and checked against what its command declares. */
export class Arguments {
  /** All words without dashes, in order. */
  readonly words: readonly string[];
  readonly #command: Command;
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(command: Command, words: readonly string[], values: ReadonlyMap<string, readonly string[]>) {
    this.#command = command;
    this.words = words;
    this.#values = values;
  }

  /** The flag was given. */
  has(name: string): boolean {
    return this.texts(name).length > 0;
  }

  /** Every value of a flag that may be repeated. */
  texts(name: string): readonly string[] {
    assert(
      this.#command.options.some((option) => option.name === name),
      "a command asks only for flags that it declares",
    );
    return this.#values.get(name) ?? [];
  }

  /** The last value, as Kafka's tools take it. */
  text(name: string): string | undefined {
    return this.texts(name).at(-1);
  }

  /** @throws UsageError for anything but a whole number within the bounds */
  integer(
    name: string,
    { min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number },
  ): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : readInteger(`--${name}`, text, { min, max });
  }

  /** @throws UsageError for anything but one of the choices */
  choice<const C extends string>(name: string, choices: readonly C[]): C | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const choice = choices.find((one) => one === text);
    if (choice === undefined) {
      throw new UsageError(`Cannot use --${name} "${text}": it is one of ${choices.join(", ")}`);
    }
    return choice;
  }

  /** The values of `--name KEY=VALUE`. @throws UsageError where there is no "=" */
  pairs(name: string): readonly (readonly [key: string, value: string])[] {
    return this.texts(name).map((text) => readPair(`--${name}`, text));
  }
}

/** @throws UsageError, with everything in it that a user needs: it is shown as one line */
export function parseArguments(command: Command, args: readonly string[]): Arguments {
  const words: string[] = [];
  const values = new Map<string, string[]>();
  let mayBeFlag = true;
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? "";
    if (mayBeFlag && argument === "--") {
      mayBeFlag = false;
      continue;
    }
    if (!mayBeFlag || !argument.startsWith("-") || argument === "-") {
      words.push(argument);
      continue;
    }
    const { option, attached } = readFlag(command, argument);
    let value = attached;
    if (option.value !== undefined && value === undefined) value = args[++index];
    if (option.value !== undefined && value === undefined) {
      throw new UsageError(`Cannot use --${option.name}: it needs a value, ${option.value}`);
    }
    if (values.has(option.name) && !option.isRepeated && option.value !== undefined) {
      throw new UsageError(`Cannot use --${option.name} twice`);
    }
    values.set(option.name, [...(values.get(option.name) ?? []), value ?? ""]);
  }
  checkWords(command, words);
  return new Arguments(command, words, values);
}

/** @throws UsageError for anything but a whole number within the bounds */
export function readInteger(
  subject: string,
  text: string,
  { min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number },
): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`;
  throw new UsageError(`Cannot use ${subject} "${text}": it is a whole number, ${range}`);
}

/** Splits `KEY=VALUE` at its first "=". @throws UsageError where there is none */
export function readPair(subject: string, text: string): readonly [key: string, value: string] {
  const at = text.indexOf("=");
  if (at <= 0) throw new UsageError(`Cannot use ${subject} "${text}": it is KEY=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `--name`, `--name=value`, `-n` and `-nvalue`. */
function readFlag(command: Command, argument: string): { option: Option; attached: string | undefined } {
  const isLong = argument.startsWith("--");
  const at = isLong ? argument.indexOf("=") : 2;
  const name = isLong ? argument.slice(2, at < 0 ? undefined : at) : argument.slice(1, 2);
  const attached = isLong ? (at < 0 ? undefined : argument.slice(at + 1)) : argument.slice(2) || undefined;
  const option = command.options.find((one) => (isLong ? one.name : one.short) === name);
  if (!option) throw new UsageError(unknownFlag(command, isLong ? `--${name}` : `-${name}`));
  if (option.value === undefined && attached !== undefined) {
    throw new UsageError(`Cannot use "${argument}": --${option.name} takes no value`);
  }
  return { option, attached };
}

function unknownFlag(command: Command, flag: string): string {
  const nearest = flag.startsWith("--")
    ? nearestName(
        flag.slice(2),
        command.options.map(({ name }) => name),
      )
    : undefined;
  const instead = nearest ? `did you mean "--${nearest}"` : `see "millrace ${command.name} --help"`;
  return `Cannot use the flag "${flag}": millrace ${command.name} has none of that name, ${instead}`;
}

function checkWords({ name, positionals }: Command, words: readonly string[]): void {
  const needed = positionals.filter(({ takes }) => takes === "one" || takes === "some");
  const missing = needed[words.length];
  if (missing) {
    throw new UsageError(
      `Cannot run "millrace ${name}": ${missing.name} is missing, see "millrace ${name} --help"`,
    );
  }
  const isOpen = positionals.some(({ takes }) => takes === "some" || takes === "any");
  const surplus = isOpen ? undefined : words[positionals.length];
  if (surplus !== undefined) {
    throw new UsageError(`Cannot use the word "${surplus}": see "millrace ${name} --help"`);
  }
}
