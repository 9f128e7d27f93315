import { systemClock } from "../runtime/clock.ts";
import { cliVersion } from "./cli-version.ts";
import { exitCodes } from "./failure.ts";
import { run } from "./run.ts";
import { ProcessTerminal } from "./terminal.ts";

/** Set once somebody wants to end in order; the second signal then ends at once. */
let interruption: AbortController | undefined;

// Whoever reads the results may have had enough of them: `millrace consume t | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.ok);
  throw error;
});

const exitCode = await run(
  process.argv.slice(2),
  {
    terminal: new ProcessTerminal(process, process.env),
    clock: systemClock,
    environment: process.env,
    input: process.stdin,
    interruption: () => {
      interruption ??= listenForSignals();
      return interruption.signal;
    },
  },
  cliVersion(),
);
// A started broker runs on, and other commands end when their output is written.
if (exitCode !== exitCodes.ok) process.exitCode = exitCode;

function listenForSignals(): AbortController {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(exitCodes.interrupted);
      controller.abort();
    });
  }
  return controller;
}
