import type { Clock } from "../runtime/clock.ts";
import type { Terminal } from "./terminal.ts";

/** All that a command takes from the process it runs in; a test has its own. */
export interface World {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What is piped in, or typed. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Aborts at the first Ctrl-C or SIGTERM, from the first call on; until then they end the process as ever. */
  interruption(): AbortSignal;
}
