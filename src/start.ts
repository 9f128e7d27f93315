import { takeNodeFlags } from "./supervisor/several-nodes.ts";

/** How `start` was called. */
export interface StartCall {
  /** The flags, without the program. */
  readonly args: readonly string[];
  /** What stands before the flags in `--help`: `npm start --`, `millrace start`. */
  readonly program: string;
  /** The words behind Node that lead here: the file, and a command where it has several. */
  readonly entry: readonly string[];
}

/**
 * Makes this process a broker, or the supervisor of several. Answers once it serves, or has ended with the process's
 * exit code set.
 */
export async function start({ args, program, entry }: StartCall): Promise<void> {
  const taken = takeNodeFlags(args);
  const isHelp = taken.args.some((word) => word === "--help" || word === "-h");
  if (taken.nodes.kind === "one" || isHelp) {
    const { runBroker } = await import("./run-broker.ts");
    await runBroker({ args: taken.args, program });
    return;
  }
  if (taken.nodes.kind === "problem") {
    process.stderr.write(`millrace: ${taken.nodes.problem}\n`);
    process.exitCode = 2;
    return;
  }
  // A broker's own code is not loaded here: the supervisor stays small.
  const { runNodes } = await import("./supervisor/run-nodes.ts");
  await runNodes({ nodes: taken.nodes, args: taken.args, program: entry });
}
