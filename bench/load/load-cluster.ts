import { Metadata } from "#protocol/messages/metadata.ts";
import { type Address, LoadConnection } from "./load-connection.ts";

/** One broker's part of a topic. */
export interface LeaderShare {
  readonly nodeId: number;
  readonly partitions: readonly number[];
}

const metadataVersion = 8;

/** The brokers that a load meets: where they are, and who leads what. Clients have a connection to each, and so has a load. */
export class LoadCluster implements AsyncDisposable {
  readonly #onFailure: (error: Error) => void;
  readonly #opened: LoadConnection[] = [];
  /** For all that is not measured, one for each broker. */
  readonly #admins = new Map<number, Promise<LoadConnection>>();
  readonly #first: LoadConnection;
  #addresses: ReadonlyMap<number, Address> = new Map();

  /** @throws Error when nobody listens; `onFailure` is told when a connection is lost later */
  static async open(address: Address, onFailure: (error: Error) => void): Promise<LoadCluster> {
    return new LoadCluster(await LoadConnection.open(address, onFailure), onFailure);
  }

  private constructor(first: LoadConnection, onFailure: (error: Error) => void) {
    this.#first = first;
    this.#onFailure = onFailure;
    this.#opened.push(first);
  }

  /** To any broker. */
  get any(): LoadConnection {
    return this.#first;
  }

  /** A connection for what is not measured. */
  admin(nodeId: number): Promise<LoadConnection> {
    const known = this.#admins.get(nodeId) ?? this.connect(nodeId);
    this.#admins.set(nodeId, known);
    return known;
  }

  /** A connection of the caller's own; the cluster closes it. @throws Error */
  async connect(nodeId: number): Promise<LoadConnection> {
    const address = this.#addresses.get(nodeId);
    if (!address) throw new Error(`Cannot connect with node ${nodeId}: the cluster does not name it`);
    const connection = await LoadConnection.open(address, this.#onFailure);
    this.#opened.push(connection);
    return connection;
  }

  /** Who leads the partitions of a topic now; undefined while any is without a leader. */
  async leaders(topic: string, partitions: number): Promise<readonly LeaderShare[] | undefined> {
    const answer = await this.#first.request(Metadata, metadataVersion, {
      topics: [{ name: topic }],
      allowAutoTopicCreation: false,
    });
    this.#addresses = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    const found = answer.topics[0]?.partitions ?? [];
    if (found.length < partitions || found.some(({ leaderId }) => !this.#addresses.has(leaderId)))
      return undefined;
    const shares = Map.groupBy(
      found.toSorted((a, b) => a.partitionIndex - b.partitionIndex),
      ({ leaderId }) => leaderId,
    );
    return Array.from(shares, ([nodeId, led]) => ({
      nodeId,
      partitions: led.map(({ partitionIndex }) => partitionIndex),
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#opened) await connection[Symbol.asyncDispose]();
  }
}
