import { run } from "#src/cli/run.ts";
import type { Terminal } from "#src/cli/terminal.ts";
import type { World } from "#src/cli/world.ts";
import { systemClock } from "#src/runtime/clock.ts";

/** A terminal that remembers; answers "no" unless told otherwise. */
export class FakeTerminal implements Terminal {
  hasColour = false;
  hasErrorColour = false;
  isWatched = false;
  isOutputWatched = false;
  canAnswer = false;
  columns = 80;
  answer = false;
  readonly questions: string[] = [];
  talk = "";
  readonly #output: Buffer[] = [];
  /** Called after each write of results. */
  onWrite: () => void = () => undefined;

  get output(): string {
    return Buffer.concat(this.#output).toString("utf8");
  }

  write(chunk: string | Uint8Array): Promise<void> {
    this.#output.push(Buffer.from(chunk as Uint8Array));
    this.onWrite();
    return Promise.resolve();
  }

  writeError(text: string): void {
    this.talk += text;
  }

  confirm(question: string): Promise<boolean> {
    this.questions.push(question);
    return Promise.resolve(this.answer);
  }
}

/** A process that there is not, to run command lines in. */
export class FakeWorld implements World {
  readonly terminal = new FakeTerminal();
  readonly clock = systemClock;
  environment: Record<string, string | undefined> = {};
  input: AsyncIterable<Uint8Array> = chunksOf([]);
  readonly interrupter = new AbortController();

  interruption(): AbortSignal {
    return this.interrupter.signal;
  }
}

/** What a command line came to. */
export interface Ran {
  readonly exitCode: number;
  readonly output: string;
  readonly talk: string;
}

/** Runs one command line in a world of its own. */
export async function runLine(args: readonly string[], world = new FakeWorld()): Promise<Ran> {
  const exitCode = await run(args, world, "1.2.3");
  return { exitCode, output: world.terminal.output, talk: world.terminal.talk };
}

/** Pieces as a stream hands them out. */
export async function* chunksOf(pieces: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece as Uint8Array);
}
