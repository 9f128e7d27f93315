import { ErrorCode, isRetriable } from "#protocol/error-codes.ts";
import { FindCoordinator } from "#protocol/messages/find-coordinator.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import type { Api, RequestInput, ResponseOutput } from "#protocol/schema/api.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import { type Address, formatAddress } from "./address.ts";
import { ConnectionError, expectAccepted, NoBrokerError, RefusedError } from "./client-errors.ts";
import { BrokerConnection, type ConnectionOptions, type RequestOptions } from "./connection.ts";

export interface ClusterOptions extends ConnectionOptions {
  /** At least one. */
  readonly bootstrap: readonly Address[];
}

export type MetadataAnswer = ResponseOutput<typeof Metadata>;
export type TopicMetadata = MetadataAnswer["topics"][number];

const backoffMsMin = 50;
const backoffMsMax = 1_000;

/** FindCoordinator asks for one group up to here. */
const findCoordinatorVersionMax = 3;

/** A cluster seen from a client: which broker is where, and one connection to each that is used. */
export class Cluster implements Disposable {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly #options: ClusterOptions;
  readonly #bootstrap: BrokerConnection;
  readonly #connections = new Map<number, Promise<BrokerConnection>>();
  #addresses: ReadonlyMap<number, Address> = new Map();
  #controllerId = -1;

  /** Connects to the first bootstrap server that answers. @throws NoBrokerError */
  static async connect(options: ClusterOptions): Promise<Cluster> {
    const attempts: ConnectionError[] = [];
    for (const address of options.bootstrap) {
      try {
        const connection = await BrokerConnection.open(address, options);
        const cluster = new Cluster(connection, options);
        await cluster.metadata([]);
        return cluster;
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error;
        attempts.push(error);
      }
    }
    throw new NoBrokerError(attempts);
  }

  private constructor(bootstrap: BrokerConnection, options: ClusterOptions) {
    this.#bootstrap = bootstrap;
    this.#options = options;
    this.clock = options.clock;
    this.timeoutMs = options.timeoutMs;
  }

  [Symbol.dispose](): void {
    this.#bootstrap[Symbol.dispose]();
    for (const connection of this.#connections.values()) {
      connection.then(
        (open) => open[Symbol.dispose](),
        () => undefined,
      );
    }
  }

  /** Versions that some broker of the cluster serves, by API key. */
  get served(): ReadonlyMap<number, readonly [min: number, max: number]> {
    return this.#bootstrap.served;
  }

  /** Asks for brokers and for these topics, or for all; may create topics where the broker allows that. */
  async metadata(
    topics: readonly string[] | "all",
    { mayCreate = false }: { mayCreate?: boolean } = {},
  ): Promise<MetadataAnswer> {
    const answer = await this.request(Metadata, {
      topics: topics === "all" ? null : topics.map((name) => ({ name })),
      allowAutoTopicCreation: mayCreate,
      includeTopicAuthorizedOperations: false,
    });
    this.#addresses = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    this.#controllerId = answer.controllerId;
    return answer;
  }

  /** Asks any broker. */
  async request<A extends Api>(
    api: A,
    request: RequestInput<A>,
    options?: RequestOptions,
  ): Promise<ResponseOutput<A>> {
    const connection = this.#bootstrap.isOpen ? this.#bootstrap : await this.#anyOther();
    return await connection.request(api, request, options);
  }

  /** Asks the broker that administers the cluster. */
  async requestController<A extends Api>(
    api: A,
    request: RequestInput<A>,
    options?: RequestOptions,
  ): Promise<ResponseOutput<A>> {
    return this.#addresses.has(this.#controllerId)
      ? await (await this.connectionTo(this.#controllerId)).request(api, request, options)
      : await this.request(api, request, options);
  }

  /** Ids of all brokers, as of the last Metadata answer. */
  get nodeIds(): readonly number[] {
    return [...this.#addresses.keys()];
  }

  /** A connection to one broker, made at first use and again after it broke. @throws ConnectionError */
  async connectionTo(nodeId: number): Promise<BrokerConnection> {
    const existing = await this.#connections.get(nodeId)?.catch(() => undefined);
    if (existing?.isOpen) return existing;
    const address = this.#addresses.get(nodeId);
    if (!address) throw new RefusedError(`use broker ${nodeId}`, ErrorCode.brokerNotAvailable);
    const isSame = formatAddress(address) === formatAddress(this.#bootstrap.address);
    const opening =
      isSame && this.#bootstrap.isOpen
        ? Promise.resolve(this.#bootstrap)
        : BrokerConnection.open(address, this.#options);
    this.#connections.set(nodeId, opening);
    return await opening;
  }

  /** The broker that coordinates a consumer group. */
  async coordinatorOf(groupId: string): Promise<number> {
    return await this.retry(async () => {
      const request = { key: groupId, keyType: 0 };
      const answer = await this.request(FindCoordinator, request, { versionMax: findCoordinatorVersionMax });
      const { errorCode, errorMessage, nodeId, host, port } = answer;
      expectAccepted(`find the coordinator of group "${groupId}"`, errorCode, errorMessage);
      if (!this.#addresses.has(nodeId)) {
        this.#addresses = new Map(this.#addresses).set(nodeId, { host, port });
      }
      return nodeId;
    });
  }

  /**
   * Tries again, within the timeout, after answers that Kafka's clients retry and after broken connections.
   * `gives` names codes that are an answer here and not a passing state.
   */
  async retry<T>(attempt: () => Promise<T>, gives: readonly number[] = []): Promise<T> {
    const endMs = this.clock.monotonicMs() + this.timeoutMs;
    for (let backoffMs = backoffMsMin; ; backoffMs = Math.min(backoffMs * 2, backoffMsMax)) {
      try {
        return await attempt();
      } catch (error) {
        const isFinal =
          !isPassing(error) || (error instanceof RefusedError && gives.includes(error.errorCode));
        if (isFinal || this.clock.monotonicMs() + backoffMs > endMs) throw error;
        await this.sleep(backoffMs);
      }
    }
  }

  sleep(delayMs: number): Promise<void> {
    return sleep(this.clock, delayMs);
  }

  async #anyOther(): Promise<BrokerConnection> {
    let failure: unknown = new RefusedError("use the cluster", ErrorCode.brokerNotAvailable);
    for (const nodeId of this.nodeIds) {
      try {
        return await this.connectionTo(nodeId);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}

/** Whether the same request may succeed later. */
export function isPassing(error: unknown): boolean {
  if (error instanceof RefusedError) return isRetriable(error.errorCode);
  return error instanceof ConnectionError && error.failure !== "notKafka";
}
