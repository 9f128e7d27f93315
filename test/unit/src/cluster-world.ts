import { strict as assert } from "node:assert";
import pino from "pino";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import type {
  DialOptions,
  PeerListener,
  PeerListenOptions,
  PeerNetwork,
  PeerSocket,
} from "#raft/transport/network.ts";
import { Broker } from "#src/broker.ts";
import type { Partition } from "#src/partitions/partition.ts";
import type { CancelTimer, Clock } from "#src/runtime/clock.ts";
import { FaultyFileSystem, type FaultyFileSystemOptions } from "#storage/io/faulty-file.ts";
import { MemoryNetwork } from "../raft/transport/memory-network.ts";
import { BrokerWorld, configOf, seededIdentity } from "./broker-world.ts";
import { FakeClock } from "./runtime/fake-clock.ts";
import { FakeNetwork } from "./runtime/fake-network.ts";

/** What one process is to the others: running, stopped in the middle of whatever it did, or gone for good. */
class ProcessState {
  state: "running" | "paused" | "dead" = "running";
  readonly #missed: (() => void)[] = [];

  /** Runs a callback of the process, or keeps it for the time after its pause. */
  run(callback: () => void): void {
    if (this.state === "running") callback();
    else if (this.state === "paused") this.#missed.push(callback);
  }

  resume(): void {
    this.state = "running";
    for (const callback of this.#missed.splice(0)) callback();
  }
}

class ProcessClock implements Clock {
  readonly #clock: FakeClock;
  readonly #process: ProcessState;

  constructor(clock: FakeClock, process: ProcessState) {
    this.#clock = clock;
    this.#process = process;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    let isCancelled = false;
    const cancel = this.#clock.schedule(delayMs, () =>
      this.#process.run(() => {
        if (!isCancelled) callback();
      }),
    );
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  soon(callback: () => void): void {
    this.#clock.soon(() => this.#process.run(callback));
  }
}

/** A node's way to the others, which can be cut: then nothing passes and nobody is told. */
class NodeLink implements PeerNetwork {
  readonly #network: MemoryNetwork;
  readonly #process: ProcessState;
  readonly #sockets = new Set<PeerSocket>();
  isCut = false;

  constructor(network: MemoryNetwork, process: ProcessState) {
    this.#network = network;
    this.#process = process;
  }

  listen(options: PeerListenOptions, accept: (socket: PeerSocket) => void): Promise<PeerListener> {
    return this.#network.listen(options, (socket) => {
      if (this.isCut || this.#process.state === "dead") socket.destroy();
      else accept(this.#wrap(socket));
    });
  }

  async dial(options: DialOptions): Promise<PeerSocket> {
    if (this.isCut) throw new Error("unreachable");
    return this.#wrap(await this.#network.dial(options));
  }

  /** Ends all connections: those of a dead process, or those that a cut has left without some of their bytes. */
  reset(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #wrap(socket: PeerSocket): PeerSocket {
    this.#sockets.add(socket);
    const passes = (deliver: () => void) =>
      this.#process.run(() => {
        if (!this.isCut) deliver();
      });
    return {
      remoteAddress: socket.remoteAddress,
      get unsentBytes() {
        return socket.unsentBytes;
      },
      listen: (events) =>
        socket.listen({
          data: (chunk) => {
            const bytes = Buffer.from(chunk);
            passes(() => events.data(bytes));
          },
          drain: () => passes(() => events.drain()),
          close: (error) => this.#process.run(() => events.close(error)),
        }),
      write: (chunks) => {
        if (!this.isCut) socket.write(chunks);
      },
      end: () => socket.end(),
      destroy: () => socket.destroy(),
    };
  }
}

/** One node over its lives. */
export class WorldNode {
  readonly nodeId: number;
  readonly process: ProcessState;
  readonly link: NodeLink;
  readonly files: FaultyFileSystem;
  readonly world: BrokerWorld;

  constructor(parts: {
    nodeId: number;
    process: ProcessState;
    link: NodeLink;
    files: FaultyFileSystem;
    world: BrokerWorld;
  }) {
    this.nodeId = parts.nodeId;
    this.process = parts.process;
    this.link = parts.link;
    this.files = parts.files;
    this.world = parts.world;
  }

  get broker(): Broker {
    return this.world.broker;
  }

  partition(topic: string, index = 0): Partition {
    const partition = this.broker.partitions.find(topic, index);
    assert(partition, `${topic}-${index} is not on node ${this.nodeId}`);
    return partition;
  }
}

export interface ClusterWorldOptions {
  readonly config?: Readonly<Record<string, string>>;
  readonly nodeIds?: readonly number[];
  readonly rackOf?: (nodeId: number) => string;
}

/** Whole brokers as a cluster, over fake time, networks and disks, asked through their routers. */
export class ClusterWorld implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly nodeIds: readonly number[];
  readonly #options: ClusterWorldOptions;
  readonly #network = new MemoryNetwork(this.clock);
  readonly #nodes = new Map<number, WorldNode>();
  #lives = 0;

  static async start(options: ClusterWorldOptions = {}): Promise<ClusterWorld> {
    const world = new ClusterWorld(options);
    await world.clock.until(Promise.all(world.nodeIds.map((nodeId) => world.#start(nodeId))));
    return world;
  }

  private constructor(options: ClusterWorldOptions) {
    this.#options = options;
    this.nodeIds = options.nodeIds ?? [1, 2, 3];
  }

  get nodes(): readonly WorldNode[] {
    return [...this.#nodes.values()];
  }

  node(nodeId: number): WorldNode {
    const node = this.#nodes.get(nodeId);
    assert(node, `node ${nodeId} does not run`);
    return node;
  }

  /** Makes a topic with a replica on every node and waits until it is led. */
  async createTopic(name: string, configs: Readonly<Record<string, string>> = {}): Promise<void> {
    const [first] = this.nodes;
    assert(first);
    const { topics } = await first.world.call(CreateTopics, 7, {
      topics: [
        {
          ...{ name, numPartitions: 1, replicationFactor: this.nodeIds.length, assignments: [] },
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
      timeoutMs: 60_000,
    });
    assert.equal(topics[0]?.errorCode, 0);
    await this.leaderOf(name);
    await this.clock.advance(200);
  }

  /** The node that leads a partition, as soon as there is one among those that run and are not cut off. */
  async leaderOf(topic: string, index = 0): Promise<WorldNode> {
    for (let tries = 0; tries < 1_000; tries++) {
      const leaders = this.nodes.filter(
        ({ process, link, broker }) =>
          process.state === "running" && !link.isCut && broker.partitions.find(topic, index)?.isLeader,
      );
      const epochOf = (node: WorldNode) => node.partition(topic, index).leaderEpoch;
      const [leader] = leaders.sort((a, b) => epochOf(b) - epochOf(a));
      if (leader) return leader;
      await this.clock.advance(50);
    }
    throw new Error(`Nobody leads ${topic}-${index}`);
  }

  /** The nodes that run and do not lead a partition. */
  async followersOf(topic: string, index = 0): Promise<WorldNode[]> {
    const leader = await this.leaderOf(topic, index);
    return this.nodes.filter((node) => node !== leader && node.process.state === "running");
  }

  /** Ends a node's process; its disk keeps what was written. */
  kill(nodeId: number): void {
    const node = this.node(nodeId);
    node.process.state = "dead";
    node.link.reset();
  }

  /** Starts a node anew on what its disk kept, or on another. */
  async restart(nodeId: number, files: FaultyFileSystem = this.diskOf(nodeId)): Promise<WorldNode> {
    return await this.clock.until(this.#start(nodeId, files));
  }

  /** What is left of the disk of a node that was killed. */
  diskOf(nodeId: number, options: FaultyFileSystemOptions = {}): FaultyFileSystem {
    return this.node(nodeId).files.crash({ mode: "prefix", random: () => 0.999 }, options);
  }

  pause(nodeId: number): void {
    this.node(nodeId).process.state = "paused";
  }

  resume(nodeId: number): void {
    this.node(nodeId).process.resume();
  }

  /** Cuts a node off from the others, or lets it back. */
  cut(nodeId: number, isCut = true): void {
    const { link } = this.node(nodeId);
    link.isCut = isCut;
    if (!isCut) link.reset();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process, link } of this.nodes) {
      if (process.state === "paused") process.resume();
      link.isCut = false;
    }
    const closing = this.nodes.filter(({ process }) => process.state === "running");
    await this.clock.until(Promise.all(closing.map(({ broker }) => broker.close())));
  }

  async #start(nodeId: number, files = new FaultyFileSystem()): Promise<WorldNode> {
    this.#lives += 1;
    const process = new ProcessState();
    const link = new NodeLink(this.#network, process);
    const clock = new ProcessClock(this.clock, process);
    const network = new FakeNetwork();
    const fatal: unknown[] = [];
    const config = configOf(this.#configOf(nodeId));
    await files.makeDirectory(config.logDirectory);
    const broker = await Broker.start({
      config,
      files,
      ports: { clock, network, peers: link, identity: seededIdentity(nodeId * 1_000 + this.#lives) },
      logger: pino({ level: "silent" }),
      onFatal: (error) => fatal.push(error),
    });
    const world = new BrokerWorld({ broker, clock: this.clock, network, files, fatal });
    const node = new WorldNode({ nodeId, process, link, files, world });
    this.#nodes.set(nodeId, node);
    return node;
  }

  #configOf(nodeId: number): Record<string, string> {
    const { config, rackOf } = this.#options;
    const voters = this.nodeIds.map((id) => `${id}@127.0.0.1:${1_000 + id}`);
    return {
      "node.id": String(nodeId),
      "process.roles": "broker,controller",
      "controller.quorum.voters": voters.join(","),
      "controller.listener.names": "CONTROLLER",
      "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
      listeners: `PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:${1_000 + nodeId}`,
      "offsets.topic.replication.factor": String(this.nodeIds.length),
      ...(rackOf && { "broker.rack": rackOf(nodeId) }),
      ...config,
    };
  }
}
