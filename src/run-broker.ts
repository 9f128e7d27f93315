import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { setFlagsFromString } from "node:v8";
import pino from "pino";
import { Broker } from "./broker.ts";
import { helpText } from "./config/help-text.ts";
import { loadBrokerConfig } from "./config/load-broker-config.ts";
import { isCorruption } from "./errors.ts";
import { systemPorts } from "./runtime/ports.ts";
import { servingMessage } from "./supervisor/supervised-node.ts";

/** Exit codes: 1 is a failure of the broker, 2 a mistake in how it was called. */
const exitCodes = { failed: 1, misused: 2 } as const;

/**
 * Records live outside V8's heap, but what has come in since the last collection counts towards the next one, whose
 * limit follows the heap, which is small: all was marked anew every 10 MB of records. Twice the heap is every 20 MB
 * and a quarter less CPU time; three times would save little more and take 30 MB.
 */
const heapGrowth = "--heap-growing-percent=100";

/** How a broker process was called. */
export interface BrokerCall {
  /** The flags, without the program. */
  readonly args: readonly string[];
  /** What stands before the flags in `--help`: `npm start --`, `millrace start`. */
  readonly program: string;
}

/**
 * Makes this process a broker: takes its configs, starts it, and stops it on SIGTERM and SIGINT. Answers once it
 * serves, or has set the process's exit code; a failure of the broker ends the process.
 */
export async function runBroker({ args, program }: BrokerCall): Promise<void> {
  const loaded = loadBrokerConfig({
    args,
    environment: process.env,
    readFile: (path) => readFileSync(path, "utf8"),
    hostName: hostname(),
  });
  if (loaded.kind === "help") {
    process.stdout.write(`${helpText(program)}\n`);
    return;
  }
  if (loaded.kind === "problems") {
    for (const problem of loaded.problems) process.stderr.write(`millrace: ${problem}\n`);
    process.exitCode = exitCodes.misused;
    return;
  }

  setFlagsFromString(heapGrowth);
  const { config, notes } = loaded;
  // Written at once: what led to a crash must be in the log.
  const logger = pino({ name: "millrace", level: config.logLevel }, pino.destination({ fd: 1, sync: true }));
  for (const warning of notes.warnings) logger.warn(warning);
  if (notes.withoutEffect.length > 0) {
    logger.info({ configs: notes.withoutEffect }, "these configs have no effect here");
  }
  process.on("uncaughtException", (error) => {
    logger.fatal({ err: error }, "a bug: the broker ends");
    process.exit(exitCodes.failed);
  });

  const stopping = new AbortController();
  const starting = Broker.start({
    stopping: stopping.signal,
    config,
    ports: systemPorts,
    logger,
    onFatal: (error) => {
      // What the disk holds is unknown now: no further write, not even an orderly close.
      logger.fatal({ err: error, ...hintOf(error) }, "storage failed: the broker ends");
      process.exit(exitCodes.failed);
    },
  });
  // Before it serves: whoever sees it serve may ask it to stop at once.
  stopOnSignals(starting, stopping, logger);
  try {
    await starting;
  } catch (error) {
    // It was asked to stop before it served, and has.
    if (stopping.signal.aborted) process.exit(0);
    logger.fatal({ err: error, ...hintOf(error) }, error instanceof Error ? error.message : "cannot start");
    process.exit(exitCodes.failed);
  }
  process.send?.(servingMessage);
}

/** What an operator can do about damaged data. */
function hintOf(error: unknown): { hint?: string } {
  if (!isCorruption(error)) return {};
  return {
    hint: "Restore the data directory from a copy, or start with --millrace.recovery.accept.corruption=true to go on without what is damaged",
  };
}

function stopOnSignals(starting: Promise<Broker>, stopping: AbortController, logger: pino.Logger): void {
  let isStopping = false;
  function stop(signal: NodeJS.Signals): void {
    if (isStopping) {
      logger.warn({ signal }, "asked again: the broker ends at once");
      process.exit(exitCodes.failed);
    }
    isStopping = true;
    stopping.abort();
    const stopped = starting.then((broker) => broker.close());
    stopped.then(
      () => process.exit(0),
      (error: unknown) => {
        logger.fatal({ err: error }, "cannot stop in order");
        process.exit(exitCodes.failed);
      },
    );
  }
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  // A node does not outlive its supervisor.
  process.once("disconnect", () => {
    if (!isStopping) stop("SIGTERM");
  });
}
