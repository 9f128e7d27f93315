import { ErrorCode, isRetriable } from "#protocol/error-codes.ts";
import { FindCoordinator } from "#protocol/messages/find-coordinator.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import type { Api, RequestInput, ResponseOutput } from "#protocol/schema/api.ts";
import type { CommittedWrites } from "../cluster/committed-writes.ts";
import type { Marks } from "../cluster/marks.ts";
import type { Violation } from "../cluster/violation.ts";
import type { Step } from "../history/operation.ts";
import type { Recorder } from "../history/recorder.ts";
import type { SimulatedClock } from "../world/clock.ts";
import type { Endpoint, SimulatedNetwork } from "../world/network.ts";
import type { Random } from "../world/random.ts";
import { ClientConnection, expectNone, Refused, Unanswered } from "./client-connection.ts";

/** What every client needs of the simulation. */
export interface ClientOptions {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly network: SimulatedNetwork;
  readonly clock: SimulatedClock;
  readonly random: Random;
  /** Brokers to begin with. */
  readonly bootstrap: readonly { readonly host: string; readonly port: number }[];
  readonly recorder: Recorder;
  readonly marks: Marks;
  readonly committedWrites: CommittedWrites;
  readonly onViolation: (violation: Violation) => void;
}

/** A partition as clients name it. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

const requestTimeoutMs = 4_000;
const backoffMs = 100;
const restMsMax = 60;

/** A cluster seen from one client: who leads what, and one connection to each broker that is used. */
export class ClusterClient {
  readonly options: ClientOptions;
  readonly #connections = new Map<string, ClientConnection>();
  #addresses = new Map<number, { host: string; port: number }>();
  readonly #leaders = new Map<string, number>();
  readonly #partitionCounts = new Map<string, number>();
  readonly #topicIds = new Map<string, string>();

  constructor(options: ClientOptions) {
    this.options = options;
  }

  /** A version of the API, chosen anew for each request: all of them must do the same. */
  versionOf(api: Api, bounds: { readonly min?: number; readonly max?: number } = {}): number {
    const [oldest, newest] = api.versions;
    return this.options.random.between(
      Math.max(oldest, bounds.min ?? oldest),
      Math.min(newest, bounds.max ?? newest),
    );
  }

  /** Asks any broker. @throws Unanswered */
  async ask<A extends Api>(
    api: A,
    request: RequestInput<A>,
    bounds: { readonly min?: number; readonly max?: number; readonly timeoutMs?: number } = {},
  ): Promise<ResponseOutput<A>> {
    const address = this.options.random.pick(this.#known());
    try {
      const connection = await this.#connect(address);
      const { timeoutMs = requestTimeoutMs } = bounds;
      return await connection.request(api, { version: this.versionOf(api, bounds), timeoutMs }, request);
    } catch (error) {
      if (error instanceof Unanswered) this.#forget(address);
      throw error;
    }
  }

  /** A connection to the leader of a partition; the leader is looked up again where it is not known. @throws Unanswered, Refused */
  async leaderOf(place: TopicPartition): Promise<ClientConnection> {
    const key = `${place.topic}-${place.partition}`;
    if (!this.#leaders.has(key)) await this.learn([place.topic]);
    const nodeId = this.#leaders.get(key);
    const address = nodeId === undefined ? undefined : this.#addresses.get(nodeId);
    if (!address) throw new Refused(ErrorCode.leaderNotAvailable);
    return await this.#connect(address);
  }

  /** Partitions of a topic, as last learnt. */
  partitionCount(topic: string): number {
    return this.#partitionCounts.get(topic) ?? 0;
  }

  /** A topic's id, as last learnt. @throws Refused */
  topicId(topic: string): string {
    const id = this.#topicIds.get(topic);
    if (id === undefined) throw new Refused(ErrorCode.unknownTopicOrPartition);
    return id;
  }

  /** Whoever led is forgotten: an answer has shown that it changed. */
  forgetLeaders(): void {
    this.#leaders.clear();
  }

  /** Learns brokers, partitions and leaders. @throws Unanswered, Refused */
  async learn(topics: readonly string[]): Promise<void> {
    const answer = await this.ask(
      Metadata,
      { topics: topics.map((name) => ({ name })), allowAutoTopicCreation: false },
      { min: 10 },
    );
    this.#addresses = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    for (const { errorCode, name, topicId, partitions } of answer.topics) {
      expectNone(errorCode);
      this.#partitionCounts.set(name ?? "", partitions.length);
      this.#topicIds.set(name ?? "", topicId);
      for (const { partitionIndex, leaderId, errorCode: partitionError } of partitions) {
        if (partitionError === ErrorCode.none) this.#leaders.set(`${name}-${partitionIndex}`, leaderId);
      }
    }
  }

  /** A connection to the coordinator of a group. @throws Unanswered, Refused */
  async coordinatorOf(groupId: string): Promise<ClientConnection> {
    const answer = await this.ask(FindCoordinator, { key: groupId, keyType: 0 }, { max: 3 });
    expectNone(answer.errorCode);
    return await this.#connect({ host: answer.host, port: answer.port });
  }

  /** Tries until it succeeds or fails for good, or until `isOver`. */
  async persist<T>(attempt: () => Promise<T>, isOver: () => boolean): Promise<T | undefined> {
    for (;;) {
      if (isOver()) return undefined;
      try {
        return await attempt();
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.noteFailure(error);
        this.forgetLeaders();
        await this.options.clock.sleep(backoffMs);
      }
    }
  }

  /** What an application does between two looks for records that are not there. */
  async rest(): Promise<void> {
    await this.options.clock.sleep(this.options.random.between(5, restMsMax));
  }

  /** Marks how a request came to nothing. */
  noteFailure(error: unknown): void {
    if (!(error instanceof Unanswered)) return;
    if (error.reason === "broken") this.options.marks.reach("connection reset under a request");
    if (error.reason === "timedOut") this.options.marks.reach("connection timed out");
  }

  /** Writes of registers were acknowledged: by then they must be committed. */
  acknowledged(writes: readonly Step[]): void {
    const missing = this.options.committedWrites.missing(writes);
    if (missing !== undefined) this.violate("acknowledgedEarly", missing);
  }

  violate(kind: string, details: string): void {
    this.options.onViolation({ kind, details: `${this.options.name}: ${details}` });
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
  }

  /** Whoever knows only brokers that do not answer begins anew (KIP-899). */
  #forget({ host, port }: { readonly host: string; readonly port: number }): void {
    for (const [nodeId, address] of this.#addresses) {
      if (address.host === host && address.port === port) this.#addresses.delete(nodeId);
    }
  }

  #known(): readonly { readonly host: string; readonly port: number }[] {
    return this.#addresses.size > 0 ? [...this.#addresses.values()] : this.options.bootstrap;
  }

  async #connect(address: { readonly host: string; readonly port: number }): Promise<ClientConnection> {
    const key = `${address.host}:${address.port}`;
    const open = this.#connections.get(key);
    if (open?.isOpen) return open;
    const { network, endpoint, clock, name } = this.options;
    const socket = await network.connect(endpoint, address);
    if (!socket) throw new Unanswered("refused");
    // Two callers may have connected at the same time: the first one's connection serves both.
    const meanwhile = this.#connections.get(key);
    if (meanwhile?.isOpen) {
      socket.destroy();
      return meanwhile;
    }
    const connection = new ClientConnection(socket, {
      clock,
      clientId: name,
      onDisorder: (details) => this.violate("answersOutOfOrder", details),
    });
    this.#connections.set(key, connection);
    return connection;
  }
}

/** Whether the same request may succeed later. */
export function isPassing(error: unknown): boolean {
  return error instanceof Unanswered || (error instanceof Refused && isRetriable(error.errorCode));
}
