import { createInterface } from "node:readline/promises";
import type { WriteStream } from "node:tty";

/** Where a command's results and its talk go. */
export interface Terminal {
  /** Results may be coloured. */
  readonly hasColour: boolean;
  /** Talk may be coloured. */
  readonly hasErrorColour: boolean;
  /** Somebody watches the talk: progress may be drawn over itself. */
  readonly isWatched: boolean;
  /** Results go to the same screen. */
  readonly isOutputWatched: boolean;
  /** Somebody can answer a question. */
  readonly canAnswer: boolean;
  /** Characters in a line of the talk. */
  readonly columns: number;
  /** Results; waits until the reader keeps up. */
  write(chunk: string | Uint8Array): Promise<void>;
  /** Talk: problems, progress, summaries. */
  writeError(text: string): void;
  /** Asks and answers whether the reply was a yes. */
  confirm(question: string): Promise<boolean>;
}

/** What decides about colour, by the conventions of no-color.org and FORCE_COLOR. */
export function wantsColour(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  if (environment.NO_COLOR) return false;
  if (environment.FORCE_COLOR) return environment.FORCE_COLOR !== "0";
  return stream.isTTY === true && environment.TERM !== "dumb";
}

/** The process's own streams. */
export class ProcessTerminal implements Terminal {
  readonly hasColour: boolean;
  readonly hasErrorColour: boolean;
  readonly isWatched: boolean;
  readonly isOutputWatched: boolean;
  readonly canAnswer: boolean;
  readonly #output: NodeJS.WriteStream;
  readonly #error: NodeJS.WriteStream;

  constructor(
    { stdin, stdout, stderr }: Pick<NodeJS.Process, "stdin" | "stdout" | "stderr">,
    environment: Readonly<Record<string, string | undefined>>,
  ) {
    this.#output = stdout;
    this.#error = stderr;
    this.hasColour = wantsColour(stdout, environment);
    this.hasErrorColour = wantsColour(stderr, environment);
    this.isWatched = stderr.isTTY === true && environment.TERM !== "dumb";
    this.isOutputWatched = stdout.isTTY === true;
    this.canAnswer = stdin.isTTY === true && stderr.isTTY === true;
  }

  get columns(): number {
    return (this.#error as Partial<WriteStream>).columns ?? 80;
  }

  async write(chunk: string | Uint8Array): Promise<void> {
    if (this.#output.write(chunk)) return;
    await new Promise<void>((resolve) => this.#output.once("drain", resolve));
  }

  writeError(text: string): void {
    this.#error.write(text);
  }

  async confirm(question: string): Promise<boolean> {
    using lines = createInterface({ input: process.stdin, output: this.#error });
    const reply = await lines.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(reply.trim());
  }
}
