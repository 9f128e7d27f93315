import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode } from "#protocol/error-codes.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { Produce } from "#protocol/messages/produce.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import type { Api, RequestInput, ResponseOutput } from "#protocol/schema/api.ts";
import { LoadConnection } from "../load/load-connection.ts";

/** One partition as metadata tells it. */
export interface PartitionState {
  readonly partition: number;
  readonly leader: number;
  readonly inSync: readonly number[];
}

const metadataVersion = 9;
const produceVersion = 9;
const requestMsMax = 2_000;
const pollMs = 20;

/** A batch of one small record. */
export const smallBatch = buildBatch({
  records: [{ timestampMs: 0, key: null, value: new Uint8Array(100) }],
});

/** A client of a cluster whose nodes come and go: what cannot be asked fails at once. */
export class ClusterClient implements AsyncDisposable {
  readonly #ports: ReadonlyMap<number, number>;
  readonly #connections = new Map<number, Promise<NodeConnection>>();

  constructor(nodes: readonly { readonly nodeId: number; readonly port: number }[]) {
    this.#ports = new Map(nodes.map(({ nodeId, port }) => [nodeId, port]));
  }

  get nodeIds(): number[] {
    return [...this.#ports.keys()];
  }

  /** Asks one node. @throws Error where it does not answer */
  async ask<A extends Api>(
    nodeId: number,
    { api, version, request }: { api: A; version: number; request: RequestInput<A> },
  ): Promise<ResponseOutput<A>> {
    const connection = await this.#connect(nodeId);
    return await connection.ask(api, version, request);
  }

  async createTopic(name: string, partitions: number): Promise<void> {
    const request = {
      topics: [{ name, numPartitions: partitions, replicationFactor: 3, assignments: [], configs: [] }],
      timeoutMs: 60_000,
      validateOnly: false,
    };
    for (;;) {
      const answer = await (await this.#connect(1)).ask(CreateTopics, 5, request, 60_000);
      const code = answer.topics[0]?.errorCode;
      if (!code) return;
      // A node that serves may not have heard of all others yet.
      if (code !== ErrorCode.invalidReplicationFactor) {
        throw new Error(`Cannot create topic "${name}": error ${code}`);
      }
      await sleep(pollMs);
    }
  }

  /** A topic's partitions as one node sees them. @throws Error where it does not answer */
  async partitions(nodeId: number, topic: string): Promise<PartitionState[]> {
    const request = { topics: [{ name: topic }], allowAutoTopicCreation: false };
    const answer = await this.ask(nodeId, { api: Metadata, version: metadataVersion, request });
    return (answer.topics[0]?.partitions ?? []).map(({ partitionIndex, leaderId, isrNodes }) => ({
      partition: partitionIndex,
      leader: leaderId,
      inSync: isrNodes,
    }));
  }

  /** Produces a small record to each partition with acks=all; answers those that were acknowledged. @throws Error */
  async produce(nodeId: number, topic: string, partitions: readonly number[]): Promise<number[]> {
    const answer = await this.ask(nodeId, {
      api: Produce,
      version: produceVersion,
      request: {
        transactionalId: null,
        acks: -1,
        timeoutMs: requestMsMax,
        topicData: [
          {
            name: topic,
            partitionData: partitions.map((index) => ({ index, records: smallBatch })),
          },
        ],
      },
    });
    const results = answer.responses?.[0]?.partitionResponses ?? [];
    return results.filter(({ errorCode }) => errorCode === 0).map(({ index }) => index);
  }

  /** Resolves when every partition has a leader and all three replicas in sync, as its leader sees it. */
  async untilWhole(topic: string): Promise<void> {
    const isWhole = async (): Promise<boolean> => {
      const views = await Promise.all(this.nodeIds.map((nodeId) => this.partitions(nodeId, topic)));
      return views.every((partitions, at) =>
        partitions.every(
          ({ leader, inSync }) => leader > 0 && (leader !== this.nodeIds[at] || inSync.length === 3),
        ),
      );
    };
    while (!(await isWhole().catch(() => false))) await sleep(pollMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections.values()) (await connection.catch(() => undefined))?.close();
  }

  #connect(nodeId: number): Promise<NodeConnection> {
    const known = this.#connections.get(nodeId);
    if (known) return known;
    const opened = NodeConnection.open(this.#ports.get(nodeId) ?? 0, () => this.#connections.delete(nodeId));
    this.#connections.set(nodeId, opened);
    opened.catch(() => this.#connections.delete(nodeId));
    return opened;
  }
}

/** A connection whose questions fail when it is lost, or unanswered for long. */
class NodeConnection {
  readonly #connection: LoadConnection;
  readonly #pending: Set<(error: Error) => void>;

  static async open(port: number, onLost: () => void): Promise<NodeConnection> {
    const pending = new Set<(error: Error) => void>();
    const connection = await LoadConnection.open({ host: "127.0.0.1", port }, (error) => {
      onLost();
      for (const reject of pending) reject(error);
    });
    return new NodeConnection(connection, pending);
  }

  private constructor(connection: LoadConnection, pending: Set<(error: Error) => void>) {
    this.#connection = connection;
    this.#pending = pending;
  }

  async ask<A extends Api>(
    api: A,
    version: number,
    request: RequestInput<A>,
    limitMs = requestMsMax + 500,
  ): Promise<ResponseOutput<A>> {
    return await new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#pending.delete(fail);
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
      };
      const timer = setTimeout(() => fail(new Error("Cannot wait any longer for an answer")), limitMs);
      this.#pending.add(fail);
      this.#connection.request(api, version, request).then((answer) => {
        settle();
        resolve(answer);
      }, fail);
    });
  }

  close(): void {
    void this.#connection[Symbol.asyncDispose]();
  }
}
