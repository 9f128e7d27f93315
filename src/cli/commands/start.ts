import { runBroker } from "../../run-broker.ts";
import type { Arguments } from "../arguments.ts";
import { type ExitCode, exitCodes } from "../failure.ts";

/** Makes this process a broker; it serves on when this answers. Misuse has set the process's exit code then. */
export async function start(given: Arguments): Promise<ExitCode> {
  await runBroker({ args: given.words, program: "millrace start" });
  return exitCodes.ok;
}
