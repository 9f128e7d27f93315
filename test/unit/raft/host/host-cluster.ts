import { crc32c } from "#protocol/bytes/crc32c.ts";
import { votersOnly } from "#raft/core/configuration.ts";
import type { Entry } from "#raft/core/entry.ts";
import type { CatchUp } from "#raft/host/catch-up.ts";
import type { GroupStart } from "#raft/host/group-start.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";
import { RaftHost } from "#raft/host/raft-host.ts";
import type { GroupLeadership, StateMachine } from "#raft/host/state-machine.ts";
import { MemoryHub, type MemoryTransport } from "#raft/transport/memory-transport.ts";
import type { PassFrame } from "#raft/transport/node-frame.ts";
import { FakeClock } from "../../src/runtime/fake-clock.ts";
import { FakeDisk } from "./fake-disk.ts";

/** The replica of one group on one node, as its owner sees it. */
export class FakePartition implements StateMachine {
  readonly applied: Entry[] = [];
  readonly heard: GroupLeadership[] = [];
  readonly beforeReplay: () => Promise<void>;
  group: RaftGroup | undefined;

  constructor(beforeReplay = () => Promise.resolve()) {
    this.beforeReplay = beforeReplay;
  }

  apply(entry: Entry): void {
    this.applied.push(entry);
  }

  leadership(leadership: GroupLeadership): void {
    this.heard.push(leadership);
  }

  /** First bytes of the data applied so far. */
  get data(): number[] {
    return this.applied.filter(({ kind }) => kind === "data").map(({ payload }) => payload[0] ?? -1);
  }
}

/** One node: its disk outlives its process. */
export class FakeNode {
  readonly nodeId: number;
  readonly disk: FakeDisk;
  readonly #cluster: HostCluster;
  readonly partitions = new Map<number, FakePartition>();
  readonly fatal: unknown[] = [];
  readonly sent: { to: number; frame: PassFrame }[] = [];
  host: RaftHost;
  transport: MemoryTransport;
  isUp = true;
  /** What its partitions wait for before they apply entries of before a start. */
  beforeReplay = () => Promise.resolve();
  #random: number;

  constructor(cluster: HostCluster, nodeId: number, disk: FakeDisk, incarnation = 0) {
    this.#cluster = cluster;
    this.nodeId = nodeId;
    this.disk = disk;
    this.#random = cluster.seed * 7919 + nodeId * 104_729;
    const { clock, hub, catchUp } = cluster;
    const whileUp = (run: () => void) => () => {
      if (this.isUp) run();
    };
    this.host = new RaftHost({
      nodeId,
      incarnation,
      log: disk,
      schedulePass: (callback) => clock.soon(whileUp(callback)),
      scheduleRetry: (callback) => clock.schedule(20, whileUp(callback)),
      onFatal: (error) => this.fatal.push(error),
      cluster: {
        clock: {
          monotonicMs: () => clock.monotonicMs(),
          schedule: (ms, run) => clock.schedule(ms, whileUp(run)),
        },
        send: (to, frame) => {
          this.sent.push({ to, frame });
          return this.transport.send(to, frame);
        },
        incarnationOf: (to) => cluster.incarnations.get(to),
        randomBelow: (below) => this.#randomBelow(below),
      },
      ...(catchUp && { catchUp }),
    });
    this.transport = hub.start({
      listen: { host: "node", port: nodeId },
      identity: () => ({ nodeId, incarnation, clusterId: "cluster" }),
      events: {
        frame: (from, frame) => {
          if (frame.kind === "pass") this.host.receive(from, frame);
        },
        up: () => undefined,
        down: (peer) => this.host.lost(peer),
        reset: () => undefined,
        drained: () => undefined,
        refused: () => undefined,
        unreachable: () => undefined,
      },
    });
    this.transport.setPeers(
      cluster.nodeIds.map((id) => ({ nodeId: id, host: "node", port: id, incarnation: undefined })),
    );
  }

  partition(group: number): FakePartition {
    const partition = this.partitions.get(group);
    if (!partition) throw new Error(`Cannot find group ${group} on node ${this.nodeId}`);
    return partition;
  }

  group(id: number): RaftGroup {
    const group = this.host.group(id);
    if (!group) throw new Error(`Cannot find group ${id} on node ${this.nodeId}`);
    return group;
  }

  async start(id: number, start: Partial<GroupStart> = {}): Promise<void> {
    const partition = new FakePartition(this.beforeReplay);
    this.partitions.set(id, partition);
    const stored = this.disk.stored(id);
    partition.group = await this.host.start({
      configuration: votersOnly(this.#cluster.nodeIds),
      ...stored,
      id,
      stateMachine: partition,
      ...start,
    });
  }

  /** Ends the process: what was not flushed is gone. */
  crash(): void {
    this.isUp = false;
    void this.host.stop();
    this.disk.crash();
    this.#cluster.hub.crash(this.transport);
  }

  /** A linear congruential generator is chance enough to keep elections apart. */
  #randomBelow(below: number): number {
    this.#random = (this.#random * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((this.#random / 2 ** 31) * below);
  }
}

/** Hosts on a network in memory and a clock that only the test turns. */
export class HostCluster {
  readonly clock = new FakeClock();
  readonly hub = new MemoryHub({ clock: this.clock, checksum: crc32c });
  readonly nodeIds: readonly number[];
  readonly groupIds: readonly number[];
  readonly seed: number;
  readonly catchUp: CatchUp | undefined;
  /** Disks that replaced others, by node. */
  readonly incarnations = new Map<number, number>();
  nodes: FakeNode[];

  constructor(options: { nodes?: number; groups?: number; seed?: number; catchUp?: CatchUp } = {}) {
    this.nodeIds = Array.from({ length: options.nodes ?? 3 }, (_, at) => at + 1);
    this.groupIds = Array.from({ length: options.groups ?? 1 }, (_, at) => at + 1);
    this.seed = options.seed ?? 1;
    this.catchUp = options.catchUp;
    this.nodes = this.nodeIds.map((id) => new FakeNode(this, id, new FakeDisk()));
  }

  static async start(options: ConstructorParameters<typeof HostCluster>[0] = {}): Promise<HostCluster> {
    const cluster = new HostCluster(options);
    for (const node of cluster.nodes) for (const id of cluster.groupIds) await node.start(id);
    return cluster;
  }

  node(nodeId: number): FakeNode {
    const node = this.nodes.find((candidate) => candidate.nodeId === nodeId);
    if (!node) throw new Error(`Cannot find node ${nodeId}`);
    return node;
  }

  /** Starts a node's process anew on an empty disk, which is to learn everything. */
  async replaceDisk(nodeId: number): Promise<FakeNode> {
    this.incarnations.set(nodeId, 1);
    const node = new FakeNode(this, nodeId, new FakeDisk(), 1);
    this.nodes = this.nodes.map((old) => (old.nodeId === nodeId ? node : old));
    for (const id of this.groupIds) await node.start(id, { configuration: votersOnly([]) });
    return node;
  }

  /** Starts a node's process anew on its disk. */
  async restart(
    nodeId: number,
    { beforeReplay }: { beforeReplay?: () => Promise<void> } = {},
  ): Promise<FakeNode> {
    const { disk } = this.node(nodeId);
    const node = new FakeNode(this, nodeId, disk);
    if (beforeReplay) node.beforeReplay = beforeReplay;
    this.nodes = this.nodes.map((old) => (old.nodeId === nodeId ? node : old));
    for (const id of this.groupIds) await node.start(id);
    return node;
  }

  /** The node that leads a group, settled; undefined for none. Of several the one with the newest term. */
  leader(group: number): FakeNode | undefined {
    return this.nodes
      .filter((node) => node.isUp && node.host.group(group)?.isSettledLeader)
      .sort((a, b) => b.group(group).term - a.group(group).term)[0];
  }

  /** Lets time pass until every group is led. */
  async elected(withinMs = 10_000): Promise<void> {
    const endMs = this.clock.monotonicMs() + withinMs;
    while (!this.groupIds.every((id) => this.leader(id))) {
      if (this.clock.monotonicMs() > endMs)
        throw new Error(`No leader within ${withinMs} ms, seed ${this.seed}`);
      await this.clock.advance(10);
    }
  }

  async leaderOf(group: number): Promise<FakeNode> {
    await this.elected();
    const leader = this.leader(group);
    if (!leader) throw new Error(`Nobody leads group ${group}`);
    return leader;
  }

  /** Cuts a node off from all others, or lets it back. */
  isolate(nodeId: number, isCut = true): void {
    for (const other of this.nodeIds) {
      if (other === nodeId) continue;
      const act = isCut ? this.hub.cut.bind(this.hub) : this.hub.heal.bind(this.hub);
      act({ from: nodeId, to: other });
      act({ from: other, to: nodeId });
    }
  }
}

/** Proposes one record whose payload begins with this byte. */
export function proposeByte(group: RaftGroup, byte: number, sizeBytes = 10): Entry | undefined {
  const payload = new Uint8Array(sizeBytes).fill(byte);
  return group.propose({ kind: "data", baseOffset: group.nextOffset, offsetCount: 1, payload });
}
