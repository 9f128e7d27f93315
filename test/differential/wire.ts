import { setTimeout as sleep } from "node:timers/promises";
import { ProtocolError } from "#protocol/bytes/protocol-error.ts";
import { decodeResponseFrame, encodeRequestFrame } from "#protocol/frame.ts";
import { ApiVersions } from "#protocol/messages/api-versions.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DescribeConfigs } from "#protocol/messages/describe-configs.ts";
import { IncrementalAlterConfigs } from "#protocol/messages/incremental-alter-configs.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import type { Api, RequestInput, ResponseOutput } from "#protocol/schema/api.ts";
import { RawConnection } from "../integration/bad-input/raw-connection.ts";
import { waitUntil } from "../integration/wait-until.ts";
import type { TopicNames } from "./topic-names.ts";

const replyMsMax = 5_000;

/** A topic that is there before everything else. */
export const metTopic = "met";

/** What a broker did with one request. */
export type Outcome =
  | { readonly kind: "answer"; readonly response: unknown }
  | { readonly kind: "closed" }
  | { readonly kind: "silence" }
  | { readonly kind: "unreadable"; readonly reason: string };

/** One request of a scenario and what came of it. */
export interface Exchange {
  readonly step: string;
  outcome: Outcome;
}

/** The version under test has no words for the request: the scenario does not apply to it. */
export class InexpressibleError extends Error {
  constructor(cause: ProtocolError) {
    super(cause.message, { cause });
    this.name = "InexpressibleError";
  }
}

export interface WireOptions {
  readonly bootstrapServers: string;
  /** Learns from all answers. */
  readonly topics: TopicNames;
  /** What this run of a scenario puts before the names of its topics and groups, the same on both brokers. */
  readonly prefix: string;
  readonly version: number;
  /** The same on both brokers. */
  readonly nowMs: number;
  /** The leader epoch of partitions that never changed their leader. */
  readonly firstEpoch: number;
}

/** A scenario's connection to one broker; keeps what was said. */
export class Wire implements AsyncDisposable {
  readonly version: number;
  readonly nowMs: number;
  readonly firstEpoch: number;
  readonly exchanges: Exchange[];
  readonly #options: WireOptions;
  readonly #clientId: string;
  readonly #others: Wire[] = [];
  #connection: RawConnection | undefined;
  #correlationId = 0;

  constructor(options: WireOptions, { clientId = "wire", exchanges = [] as Exchange[] } = {}) {
    this.#options = options;
    this.version = options.version;
    this.nowMs = options.nowMs;
    this.firstEpoch = options.firstEpoch;
    this.#clientId = clientId;
    this.exchanges = exchanges;
  }

  /** Another client of the same scenario, on a connection of its own. */
  other(clientId: string): Wire {
    const other = new Wire(this.#options, { clientId, exchanges: this.exchanges });
    this.#others.push(other);
    return other;
  }

  /** A name that only this run of the scenario uses. */
  name(suffix: string): string {
    return `${this.#options.prefix}-${suffix}`;
  }

  /** Sends a request and notes what the broker does; undefined where it does not answer. */
  async send<A extends Api>(
    step: string,
    api: A,
    request: RequestInput<A>,
    { version = this.version, mayBeSilent = false } = {},
  ): Promise<ResponseOutput<A> | undefined> {
    const exchange = this.#note(step);
    const frame = this.#frame(api, version, request);
    const reply = await this.#exchange(frame, mayBeSilent);
    exchange.outcome = this.#read(reply, api, version);
    return exchange.outcome.kind === "answer" ? (exchange.outcome.response as ResponseOutput<A>) : undefined;
  }

  /** Sends bytes as they are, behind their length. */
  async sendBytes(step: string, api: Api, payload: Uint8Array, version = this.version): Promise<void> {
    const exchange = this.#note(step);
    const size = Buffer.alloc(4);
    size.writeInt32BE(payload.length);
    const reply = await this.#exchange(Buffer.concat([size, payload]), false);
    exchange.outcome = this.#read(reply, api, version);
  }

  /** Adds to what is compared. */
  note(step: string, response: unknown): void {
    this.exchanges.push({ step, outcome: { kind: "answer", response } });
  }

  /** A request's bytes without their length, to be damaged and sent. */
  payload<A extends Api>(api: A, request: RequestInput<A>, version = this.version): Buffer {
    return Buffer.from(this.#frame(api, version, request).subarray(4));
  }

  /** Asks what the scenario needs but does not compare. @throws Error when the broker does not answer */
  async ask<A extends Api>(
    api: A,
    request: RequestInput<A>,
    version = api.versions[1],
  ): Promise<ResponseOutput<A>> {
    const reply = await this.#exchange(this.#frame(api, version, request), false);
    const outcome = this.#read(reply, api, version);
    if (outcome.kind === "answer") return outcome.response as ResponseOutput<A>;
    throw new Error(`Cannot set up the scenario: ${api.name} v${version} met ${outcome.kind}`);
  }

  /** Makes a topic of this run's own and answers its name. */
  async topic(
    suffix: string,
    { partitions = 1, configs = {} }: { partitions?: number; configs?: Record<string, string> } = {},
  ): Promise<string> {
    const name = this.name(suffix);
    await this.makeTopic(name, { partitions, configs });
    return name;
  }

  async makeTopic(
    name: string,
    { partitions, configs }: { partitions: number; configs: Readonly<Record<string, string>> },
  ): Promise<void> {
    const { topics } = await this.ask(CreateTopics, {
      topics: [
        {
          name,
          numPartitions: partitions,
          replicationFactor: 1,
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
      timeoutMs: 10_000,
    });
    const [topic] = topics;
    if (topic?.errorCode !== 0) throw new Error(`Cannot make "${name}": ${topic?.errorMessage}`);
    await this.untilLed(name);
  }

  async topicId(name: string): Promise<string> {
    const { topics } = await this.ask(Metadata, { topics: [{ name }], allowAutoTopicCreation: false });
    return topics[0]?.topicId ?? "";
  }

  /** Waits until what was changed before can be read, which Apache Kafka does not promise with its answer. */
  async settle(): Promise<void> {
    const value = String(++this.#options.topics.changes);
    const resource = { resourceType: 2, resourceName: metTopic };
    const configs = [{ name: "flush.messages", configOperation: 0, value }];
    await this.ask(IncrementalAlterConfigs, { resources: [{ ...resource, configs }] });
    await waitUntil("a change of configs", async () => {
      const asked = [{ ...resource, configurationKeys: ["flush.messages"] }];
      const { results } = await this.ask(DescribeConfigs, { resources: asked });
      return results[0]?.configs[0]?.value === value;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const other of this.#others) await other[Symbol.asyncDispose]();
    await this.#connection?.[Symbol.asyncDispose]();
  }

  /** Apache Kafka answers CreateTopics, and tells of leaders, before these have begun to lead. */
  async untilLed(name: string): Promise<void> {
    await waitUntil(`leaders of "${name}"`, async () => {
      const { topics } = await this.ask(Metadata, { topics: [{ name }], allowAutoTopicCreation: false });
      const [{ errorCode, partitions = [] } = { errorCode: -1 }] = topics;
      if (errorCode !== 0) return false;
      const ends = partitions.map(({ partitionIndex }) => ({ partitionIndex, timestamp: -1 }));
      const found = await this.ask(ListOffsets, { replicaId: -1, topics: [{ name, partitions: ends }] });
      return found.topics.every((topic) => topic.partitions.every((partition) => partition.errorCode === 0));
    });
  }

  #note(step: string): Exchange {
    const exchange: Exchange = { step, outcome: { kind: "silence" } };
    this.exchanges.push(exchange);
    return exchange;
  }

  #frame<A extends Api>(api: A, version: number, request: RequestInput<A>): Uint8Array {
    const correlationId = ++this.#correlationId;
    try {
      return encodeRequestFrame(request, { api, version, correlationId, clientId: this.#clientId });
    } catch (error) {
      if (error instanceof ProtocolError) throw new InexpressibleError(error);
      throw error;
    }
  }

  async #exchange(frame: Uint8Array, mayBeSilent: boolean): Promise<Buffer | "closed" | "silence"> {
    if (!this.#connection || this.#connection.isClosed) {
      await this.#connection?.[Symbol.asyncDispose]();
      this.#connection = await RawConnection.open(this.#options.bootstrapServers);
    }
    this.#connection.write(frame);
    const asked = this.#correlationId;
    // Answers come in order: the one to a question that is always answered proves the silence before it.
    if (mayBeSilent) this.#connection.write(this.#frame(ApiVersions, 0, {}));
    const reply = await this.#reply(this.#connection);
    if (reply === "closed" || reply === "silence") return reply;
    if (!mayBeSilent) return reply;
    if (reply.readInt32BE(0) !== asked) return "silence";
    await this.#connection.reply();
    return reply;
  }

  /** A broker that says nothing for so long is one that says nothing; its connection is of no use any more. */
  async #reply(connection: RawConnection): Promise<Buffer | "closed" | "silence"> {
    const timeout = new AbortController();
    const silence = sleep(replyMsMax, "silence" as const, { signal: timeout.signal }).catch(
      () => "silence" as const,
    );
    const reply = await Promise.race([connection.reply(), silence]);
    timeout.abort();
    if (reply !== "silence") return reply.kind === "closed" ? "closed" : reply.payload;
    await connection[Symbol.asyncDispose]();
    this.#connection = undefined;
    return "silence";
  }

  #read(reply: Buffer | "closed" | "silence", api: Api, version: number): Outcome {
    if (reply === "closed" || reply === "silence") return { kind: reply };
    try {
      const { response } = decodeResponseFrame(reply, { api, version });
      this.#options.topics.learn(response);
      return { kind: "answer", response };
    } catch (error) {
      return { kind: "unreadable", reason: String(error) };
    }
  }
}
