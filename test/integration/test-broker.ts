import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll } from "vitest";
import { BrokerProcess } from "./broker-process.ts";
import { type TemporaryDirectory, temporaryDirectory } from "./temporary-directory.ts";

/** The broker of one test file. */
export interface TestBroker {
  readonly bootstrapServers: string;
  /** @throws Error where the tests run against a broker that they did not start */
  readonly process: BrokerProcess;
}

/** What tests of clients want from any broker: no waiting for members who never come, sessions that end soon. */
export const testConfig = {
  "group.initial.rebalance.delay.ms": "0",
  "group.min.session.timeout.ms": "1000",
} as const;

/**
 * A broker that already runs, in place of the process that each file starts: Apache Kafka itself, to see that the
 * tests describe it.
 */
export const externalBootstrapServers = process.env.MILLRACE_TEST_BOOTSTRAP;

/** Starts a broker for all tests of the calling file; a test fails when the broker dies under it. */
export function useBroker(config: Readonly<Record<string, string>> = {}): TestBroker {
  if (externalBootstrapServers) return new ExternalBroker(externalBootstrapServers);

  let directory: TemporaryDirectory | undefined;
  let broker: BrokerProcess | undefined;
  beforeAll(async () => {
    directory = await temporaryDirectory();
    broker = await BrokerProcess.start({
      logDirectory: directory.path,
      config: { ...testConfig, ...config },
    });
  });
  afterEach(({ task }) => {
    broker?.assertAlive();
    const hasFailed = task.result?.state === "fail";
    if (hasFailed && broker?.isRunning) console.error(`The broker's log:\n${broker.logTail(10)}`);
  });
  afterAll(async () => {
    try {
      await broker?.[Symbol.asyncDispose]();
    } finally {
      await directory?.[Symbol.asyncDispose]();
    }
  });
  return {
    get bootstrapServers() {
      return started(broker).bootstrapServers;
    },
    get process() {
      return started(broker);
    },
  };
}

/** A name that no other test uses, not even one against the same broker. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(5).toString("hex")}`;
}

class ExternalBroker implements TestBroker {
  readonly bootstrapServers: string;

  constructor(bootstrapServers: string) {
    this.bootstrapServers = bootstrapServers;
  }

  get process(): BrokerProcess {
    throw new Error(`Cannot control the broker at "${this.bootstrapServers}": the tests did not start it`);
  }
}

function started(broker: BrokerProcess | undefined): BrokerProcess {
  if (!broker) throw new Error("Cannot use the broker: it starts in beforeAll");
  return broker;
}
