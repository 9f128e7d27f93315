import { start as startNodes } from "../../start.ts";
import type { Arguments } from "../arguments.ts";
import { type ExitCode, exitCodes } from "../failure.ts";

/** Makes this process a broker, which serves on when this answers, or runs several. Misuse has set the process's exit code then. */
export async function start(given: Arguments): Promise<ExitCode> {
  const entry = process.argv.slice(1, 2);
  await startNodes({ args: given.words, program: "millrace start", entry: [...entry, "start"] });
  return exitCodes.ok;
}
