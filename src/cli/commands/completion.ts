import type { Arguments } from "../arguments.ts";
import { completionScripts } from "../completion-scripts.ts";
import { type ExitCode, exitCodes, UsageError } from "../failure.ts";
import type { World } from "../world.ts";

/** `millrace completion`. */
export async function completion(given: Arguments, { terminal }: World): Promise<ExitCode> {
  const [shell = ""] = given.words;
  const script = new Map(Object.entries(completionScripts)).get(shell);
  if (script === undefined) {
    const known = Object.keys(completionScripts).join(", ");
    throw new UsageError(`Cannot complete for the shell "${shell}": it is one of ${known}`);
  }
  await terminal.write(script);
  return exitCodes.ok;
}
