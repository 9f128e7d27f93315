import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ErrorCode } from "#protocol/error-codes.ts";
import { decodeResponseFrame } from "#protocol/frame.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DeleteGroups } from "#protocol/messages/delete-groups.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { ListGroups } from "#protocol/messages/list-groups.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { ask } from "../integration/ask.ts";
import type { BrokerProcess } from "../integration/broker-process.ts";
import { fuzzCorrelationId, served, validFrames } from "./corpus.ts";
import { FuzzConnection, type Outcome } from "./fuzz-connection.ts";
import { mutate } from "./mutation.ts";
import { Random } from "./random.ts";

export interface CampaignOptions {
  readonly broker: BrokerProcess;
  readonly seed: number;
  readonly frames: number;
  /** Topics that no cleaning up may touch. */
  readonly spare: readonly string[];
}

/** What became of the frames. */
export interface Tally {
  frames: number;
  answered: number;
  closed: number;
  held: number;
}

const connectionCount = 48;
/** Frames between two cleanings, each with frames made anew about what is there then. */
const framesPerRound = 10_000;
const framesPerVersion = 6;
const groups = ["fuzz-group", "fuzz-other", "", "fuzz-0"] as const;
const deletedAtOnceMax = 200;

const topics = [
  { name: "fuzz-0", numPartitions: 1, configs: [] },
  { name: "fuzz-1", numPartitions: 2, configs: [{ name: "compression.type", value: "lz4" }] },
  { name: "fuzz-compact", numPartitions: 2, configs: [{ name: "cleanup.policy", value: "compact" }] },
  { name: "fuzz-small", numPartitions: 2, configs: [{ name: "segment.bytes", value: "1048576" }] },
] as const;

/** Sends spoilt frames over many connections, in rounds. */
export class Campaign {
  readonly tally: Tally = { frames: 0, answered: 0, closed: 0, held: 0 };
  /** The longest that it took to remove what a round had made. */
  slowestCleaningMs = 0;
  readonly #options: CampaignOptions;
  readonly #random: Random;
  /** What each connection has sent last, to be looked at when the broker has died. */
  readonly #lastFrames: Buffer[] = [];

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  /** Sends all frames; calls `afterRound` now and then. @throws Error when the broker dies or answers nonsense */
  async run(afterRound: () => void | Promise<void>): Promise<void> {
    while (this.tally.frames < this.#options.frames) {
      const round = Math.min(framesPerRound, this.#options.frames - this.tally.frames);
      const startedMs = performance.now();
      const corpus = await this.#prepareRound();
      this.slowestCleaningMs = Math.max(this.slowestCleaningMs, performance.now() - startedMs);
      try {
        await this.#sendRound(corpus, round);
        this.#options.broker.assertAlive();
      } catch (error) {
        await this.#keepLastFrames();
        this.#options.broker.assertAlive();
        throw error;
      }
      await afterRound();
    }
  }

  /** Removes what the fuzzing created, so that it costs no more than this round, and restores what it aims at. */
  async #prepareRound(): Promise<readonly Uint8Array[]> {
    const { broker, spare } = this.#options;
    const names = await this.#topicIds();
    const strays = [...names.keys()].filter((name) => !spare.includes(name) && name !== "__consumer_offsets");
    for (let from = 0; from < strays.length; from += deletedAtOnceMax) {
      const topicNames = strays.slice(from, from + deletedAtOnceMax);
      const request = { topicNames, timeoutMs: 10_000 };
      await ask(broker.bootstrapServers, DeleteTopics, { version: 5, request });
    }
    await this.#deleteGroups();
    const created = topics.map((topic) => ({ ...topic, replicationFactor: 1 }));
    await ask(broker.bootstrapServers, CreateTopics, {
      version: 5,
      request: { topics: created, timeoutMs: 10_000 },
    });
    const topicIds = await this.#topicIds();
    const own = topics.map(({ name }) => name);
    return validFrames(
      {
        topics: [...own, "", "new", "__consumer_offsets", "no such topic!", "1"],
        topicIds: own.map((name) => topicIds.get(name) ?? ""),
        groups,
      },
      { seed: this.#random.below(2 ** 31), perVersion: framesPerVersion },
    );
  }

  async #deleteGroups(): Promise<void> {
    const { bootstrapServers } = this.#options.broker;
    const listed = await ask(bootstrapServers, ListGroups, { version: 4, request: {} });
    const groupsNames = listed.groups.map(({ groupId }) => groupId);
    for (let from = 0; from < groupsNames.length; from += deletedAtOnceMax) {
      // Those with members stay, until the members' sessions end.
      const request = { groupsNames: groupsNames.slice(from, from + deletedAtOnceMax) };
      await ask(bootstrapServers, DeleteGroups, { version: 2, request });
    }
  }

  async #topicIds(): Promise<ReadonlyMap<string, string>> {
    const request = { topics: null };
    const { topics: listed } = await ask(this.#options.broker.bootstrapServers, Metadata, {
      version: 12,
      request,
    });
    return new Map(listed.map(({ name, topicId }) => [name ?? "", topicId]));
  }

  async #sendRound(corpus: readonly Uint8Array[], count: number): Promise<void> {
    let left = count;
    const sendUntilDone = async (number: number) => {
      using connection = new FuzzConnection(this.#options.broker.port, number);
      while (left > 0) {
        left -= 1;
        const original = this.#random.pick(corpus);
        const { kind, frame } = mutate(original, this.#random, this.#random.pick(corpus));
        this.#lastFrames[number] = frame;
        const outcome = await connection.exchange(frame);
        this.#count(outcome);
        if (kind === "none") expectReadable(frame, outcome);
      }
    };
    await Promise.all(Array.from({ length: connectionCount }, (_, number) => sendUntilDone(number)));
  }

  #count({ kind }: Outcome): void {
    this.tally.frames += 1;
    this.tally[kind] += 1;
  }

  async #keepLastFrames(): Promise<void> {
    const directory = fileURLToPath(new URL("../../.cache/fuzz/", import.meta.url));
    await mkdir(directory, { recursive: true });
    const lines = this.#lastFrames.map((frame) => frame.toString("hex"));
    await writeFile(`${directory}last-frames-${this.#options.seed}.hex`, `${lines.join("\n")}\n`);
  }
}

/** An answer to a frame that nobody spoilt must be one that its version has. */
function expectReadable(frame: Buffer, outcome: Outcome): void {
  if (outcome.kind !== "answered") return;
  const [answer] = outcome.answers;
  const [apiKey, version] = [frame.readInt16BE(4), frame.readInt16BE(6)];
  const route = served.find((entry) => entry.api.key === apiKey && entry.version === version);
  if (!answer || !route) return;
  const { correlationId, response } = decodeResponseFrame(answer, { api: route.api, version });
  if (correlationId !== fuzzCorrelationId) {
    throw new Error(`Cannot match the answer to ${route.api.name} v${version}: correlation ${correlationId}`);
  }
  if (holdsServerError(response)) {
    throw new Error(
      `Cannot take UNKNOWN_SERVER_ERROR for ${route.api.name} v${version}: ${frame.toString("hex")}`,
    );
  }
}

/** The error that says nothing and ends some clients for good, at any depth of an answer (trap 66). */
function holdsServerError(value: unknown): boolean {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  return Object.entries(value).some(
    ([name, inner]) =>
      (name === "errorCode" && inner === ErrorCode.unknownServerError) || holdsServerError(inner),
  );
}
