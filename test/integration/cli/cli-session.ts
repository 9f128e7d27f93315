import { afterAll, beforeAll } from "vitest";
import { startBroker } from "#src/index.ts";
import { chunksOf, FakeWorld, type Ran, runLine } from "../../unit/src/cli/fake-world.ts";

/** The command line against a broker in memory, both in this process. */
export interface CliSession {
  readonly bootstrapServers: string;
  /** Runs one command line with `--bootstrap-server` behind it. */
  run(
    args: readonly string[],
    options?: { readonly input?: string; readonly world?: FakeWorld },
  ): Promise<Ran>;
  /** Runs one that must succeed; answers what it printed. */
  ok(args: readonly string[], input?: string): Promise<string>;
  /** Runs one that must succeed, with `--json`; answers what it printed, parsed. */
  json(args: readonly string[]): Promise<unknown>;
}

/** Starts the broker of one test file. */
export function useCli(config: Readonly<Record<string, string>> = {}): CliSession {
  let broker: Awaited<ReturnType<typeof startBroker>> | undefined;
  beforeAll(async () => {
    broker = await startBroker({ config: { "group.initial.rebalance.delay.ms": "0", ...config } });
  });
  afterAll(async () => {
    await broker?.close();
  });

  const session: CliSession = {
    get bootstrapServers() {
      return broker?.bootstrapServers.join(",") ?? "";
    },
    async run(args, { input, world = new FakeWorld() } = {}) {
      if (input !== undefined) world.input = chunksOf([input]);
      return await runLine([...args, "-b", session.bootstrapServers, "--timeout", "10"], world);
    },
    async ok(args, input = "") {
      const ran = await session.run(args, { input });
      if (ran.exitCode !== 0) throw new Error(`Cannot run "${args.join(" ")}": ${ran.talk}`);
      return ran.output;
    },
    async json(args) {
      return JSON.parse(await session.ok([...args, "--json"]));
    },
  };
  return session;
}

/** Parses lines of JSON. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
