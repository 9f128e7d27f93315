import type { Arguments } from "./arguments.ts";
import type { ExitCode } from "./failure.ts";
import type { World } from "./world.ts";

/** What the shell may offer for a value. */
export type Completion = "topic" | "group" | "file" | readonly string[];

/** A flag: `--name`, or `--name VALUE`. */
export interface Option {
  /** Without the dashes. */
  readonly name: string;
  /** One letter, without the dash. */
  readonly short?: string;
  /** What stands for the value in help; absent for a flag without one. */
  readonly value?: string;
  /** May be given several times. */
  readonly isRepeated?: boolean;
  readonly summary: string;
  readonly completes?: Completion;
}

/** A word without dashes. */
export interface Positional {
  /** As in help: `TOPIC`. */
  readonly name: string;
  readonly takes: "one" | "optional" | "some" | "any";
  readonly completes?: Completion;
}

export interface Example {
  readonly line: string;
  readonly says: string;
}

/** Does the work; failures are thrown. */
export type Run = (given: Arguments, world: World) => Promise<ExitCode>;

/** A command as help, completion and the parser know it; its code is loaded when it runs. */
export interface Command {
  /** One word or two: `consume`, `topics create`. */
  readonly name: string;
  readonly summary: string;
  /** Lines for its own help. */
  readonly description?: readonly string[];
  readonly positionals: readonly Positional[];
  readonly options: readonly Option[];
  readonly examples?: readonly Example[];
  /** Gets its words as they are: no flag of it is known here, `--help` included. */
  readonly takesRawWords?: boolean;
  readonly load: () => Promise<Run>;
}

/** A first word that has commands of its own: `topics`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command[];
}
