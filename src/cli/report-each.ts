import { explain } from "./explain.ts";
import { type ExitCode, exitCodes } from "./failure.ts";
import { styled } from "./style.ts";
import type { World } from "./world.ts";

/** What became of one of several things that a command was asked to do. */
export interface Outcome {
  readonly error: Error | undefined;
}

/** Tells what succeeded as results and what failed as talk; fails when one of them did. */
export async function reportEach<O extends Outcome>(
  { terminal }: World,
  outcomes: readonly O[],
  describe: (outcome: O) => string | undefined,
): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  for (const outcome of outcomes) {
    if (outcome.error) {
      exitCode = exitCodes.failed;
      const { message, hint } = explain(outcome.error);
      const label = styled("millrace:", "red", terminal.hasErrorColour);
      terminal.writeError(`${label} ${message}\n${hint === undefined ? "" : `  ${hint}\n`}`);
      continue;
    }
    const line = describe(outcome);
    if (line !== undefined) await terminal.write(`${line}\n`);
  }
  return exitCode;
}
