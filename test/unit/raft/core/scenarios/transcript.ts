/** One command of a transcript with what it is expected to print. */
export interface Step {
  /** Lines in front of the command: comments and blank lines, kept when a transcript is rewritten. */
  readonly preamble: readonly string[];
  readonly command: string;
  readonly expected: string;
}

/** A transcript's steps and the lines behind the last. */
export interface Transcript {
  readonly steps: readonly Step[];
  readonly epilogue: readonly string[];
}

const separator = "----";

/** Reads commands, each a line followed by `----`, its output and a blank line. */
export function parseTranscript(text: string): Transcript {
  const lines = text.split("\n");
  const steps: Step[] = [];
  let preamble: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (line === "" || line.startsWith("#")) {
      preamble.push(line);
      continue;
    }
    const output: string[] = [];
    if (lines[at + 1] === separator) {
      at += 2;
      for (; at < lines.length && lines[at] !== ""; at++) output.push(lines[at] ?? "");
      at -= 1;
    }
    steps.push({ preamble, command: line, expected: output.join("\n") });
    preamble = [];
  }
  return { steps, epilogue: preamble };
}

/** A transcript as it would be had every command printed what it printed now. */
export function formatTranscript({ steps, epilogue }: Transcript, outputs: readonly string[]): string {
  const lines: string[] = [];
  for (const [i, { preamble, command }] of steps.entries()) {
    if (i > 0 && preamble[0] !== "") lines.push("");
    lines.push(...preamble, command, separator);
    const output = outputs[i];
    if (output) lines.push(output);
  }
  lines.push(...epilogue);
  return `${lines.join("\n").trimEnd()}\n`;
}

/** A command's name, its bare arguments and its `name=value` options; `(1 2)` is one value. */
export interface Command {
  readonly name: string;
  readonly args: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

/** Takes a command line apart. */
export function parseCommand(line: string): Command {
  const [name = "", ...rest] = line.match(/(?:[^\s(]+\([^)]*\)|[^\s]+)/g) ?? [];
  const args: string[] = [];
  const options = new Map<string, string>();
  for (const word of rest) {
    const at = word.indexOf("=");
    if (at < 0) args.push(word);
    else options.set(word.slice(0, at), word.slice(at + 1));
  }
  return { name, args, options };
}

/** The numbers of a list such as `(1 2 3)`. */
export function parseList(value: string | undefined): number[] {
  return value?.match(/\d+/g)?.map(Number) ?? [];
}
