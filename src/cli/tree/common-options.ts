import type { Option } from "../command.ts";

/** For every command that talks to a cluster. */
export const connectionOptions: readonly Option[] = [
  {
    name: "bootstrap-server",
    short: "b",
    value: "HOST:PORT[,HOST:PORT]...",
    summary: "brokers to connect to first (KAFKA_BOOTSTRAP_SERVERS, else 127.0.0.1:9092)",
  },
  { name: "timeout", value: "SECONDS", summary: "how long to wait for answers and retries (30)" },
];

/** For every command that shows something. */
export const jsonOption: Option = { name: "json", summary: "print JSON for programs, not tables for people" };

/** For every command that destroys something. */
export const yesOption: Option = { name: "yes", short: "y", summary: "do not ask" };
