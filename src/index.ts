import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino, { type Logger } from "pino";
import { Broker } from "./broker.ts";
import { formatHostPort } from "./config/host-port.ts";
import { loadBrokerConfig } from "./config/load-broker-config.ts";
import { systemPorts } from "./runtime/ports.ts";

/** How an embedded broker is to run; everything has a default. */
export interface StartBrokerOptions {
  /** Where data is kept; "memory" forgets it at the end. Default "memory". */
  readonly storage?: "memory" | "disk";
  /** For "disk": where. Default a temporary directory, removed at the end. */
  readonly logDirectory?: string;
  /** Port on loopback; default a free one. */
  readonly port?: number;
  /** Further configs under Kafka's names, such as `{ "num.partitions": "3" }`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Where the broker logs; silent by default. */
  readonly logger?: Logger;
}

/** A broker inside this process; `await using` stops it. */
export interface EmbeddedBroker extends AsyncDisposable {
  /** What clients connect to: `["127.0.0.1:49152"]`. */
  readonly bootstrapServers: readonly string[];
  /** Rejects when storage fails; the broker serves no more then. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/** The configs were refused; `problems` has one sentence for each reason. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Cannot start a broker: ${problems.join("; ")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** Starts a broker in this process on a free port. @throws ConfigError, and what storage throws */
export async function startBroker(options: StartBrokerOptions = {}): Promise<EmbeddedBroker> {
  const { storage = "memory", port = 0, logger = pino({ level: "silent" }) } = options;
  const isTemporary = storage === "disk" && options.logDirectory === undefined;
  const logDirectory = isTemporary
    ? await mkdtemp(join(tmpdir(), "millrace-"))
    : (options.logDirectory ?? "/memory");
  const configs = {
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    "log.dirs": logDirectory,
    "millrace.storage": storage,
    // An embedded broker opens no port that its host does not know of.
    "millrace.http.listener": "off",
    ...options.config,
  };
  const loaded = loadBrokerConfig({
    args: Object.entries(configs).map(([name, value]) => `--${name}=${value}`),
    environment: {},
    readFile: () => "",
  });
  if (loaded.kind !== "config") throw new ConfigError(loaded.kind === "problems" ? loaded.problems : []);

  const failure = Promise.withResolvers<never>();
  // Whoever does not listen must not be ended by it.
  failure.promise.catch(() => undefined);
  const broker = await Broker.start({
    config: loaded.config,
    ports: systemPorts,
    logger,
    onFatal: (error) => failure.reject(error),
  });
  async function close(): Promise<void> {
    await broker.close();
    if (isTemporary) await rm(logDirectory, { recursive: true, force: true });
  }
  return {
    bootstrapServers: broker.endpoints.map(formatHostPort),
    failed: failure.promise,
    close,
    [Symbol.asyncDispose]: close,
  };
}
