import type { ChunkFrame } from "#raft/transport/node-frame.ts";
import { LeaderDirectory } from "#src/cluster/leaders/leader-directory.ts";
import { LeaderElections } from "#src/cluster/leaders/leader-elections.ts";
import { emptyImage, type MetadataImage, type TopicImage } from "#src/cluster/metadata/metadata-image.ts";
import type { NodeState } from "#src/cluster/metadata/node-state.ts";
import { NodeCalls } from "#src/cluster/network/node-calls.ts";
import { nodeStateConfig } from "#src/config/millrace-configs.ts";
import { type FakeNode, HostCluster } from "../../raft/host/host-cluster.ts";

/** Three nodes that replicate groups, with calls between them; each hears of leaders by itself. */
export class OperationsWorld {
  readonly cluster: HostCluster;
  readonly calls = new Map<number, NodeCalls>();
  readonly directories = new Map<number, LeaderDirectory>();
  readonly elections = new Map<number, LeaderElections>();

  static async start(groups = 1): Promise<OperationsWorld> {
    const cluster = await HostCluster.start({ groups });
    await cluster.elected();
    return new OperationsWorld(cluster);
  }

  private constructor(cluster: HostCluster) {
    this.cluster = cluster;
    for (const nodeId of cluster.nodeIds) this.#add(nodeId);
  }

  get clock() {
    return this.cluster.clock;
  }

  isUp(nodeId: number): boolean {
    return this.cluster.node(nodeId).isUp;
  }

  async leaderOf(groupId: number): Promise<number> {
    return (await this.cluster.leaderOf(groupId)).nodeId;
  }

  electionsOf(nodeId: number): LeaderElections {
    const elections = this.elections.get(nodeId);
    if (!elections) throw new Error(`Cannot find node ${nodeId}`);
    return elections;
  }

  /** What every node knows by hearsay: the newest leaders of all groups. */
  tellLeaders(): void {
    for (const groupId of this.cluster.groupIds) {
      const leader = this.cluster.leader(groupId);
      if (!leader) continue;
      const { term } = leader.group(groupId);
      for (const directory of this.directories.values())
        directory.learn(groupId, { nodeId: leader.nodeId, term });
    }
  }

  #add(nodeId: number): void {
    const { clock } = this.cluster;
    const directory = new LeaderDirectory();
    const calls = new NodeCalls({
      send: (to, frame: ChunkFrame) => {
        if (!this.isUp(to)) return false;
        clock.soon(() => this.calls.get(to)?.take(nodeId, frame));
        return true;
      },
      clock,
      onError: (error) => {
        throw error;
      },
    });
    this.calls.set(nodeId, calls);
    this.directories.set(nodeId, directory);
    const groups = { group: (id: number) => this.cluster.node(nodeId).host.group(id) };
    const isReachable = (other: number) => this.isUp(other);
    this.elections.set(
      nodeId,
      new LeaderElections({ nodeId, groups, leaders: directory, calls, isReachable, clock }),
    );
  }
}

/** The node that is neither of the two. */
export function otherThan(...nodeIds: readonly number[]): number {
  return [1, 2, 3].find((nodeId) => !nodeIds.includes(nodeId)) ?? -1;
}

/** An image of one topic "t" whose partitions have these replicas and the groups 1, 2, …, and of nodes in these states. */
export function imageOf(
  partitions: readonly (readonly number[])[],
  states: Readonly<Record<number, NodeState>> = {},
): MetadataImage {
  const topic: TopicImage = {
    name: "t",
    id: "t-id",
    isInternal: false,
    partitions: partitions.map((replicas, index) => ({ index, groupId: index + 1, replicas })),
  };
  const brokers = [...new Set(partitions.flat())].map((nodeId) => ({
    ...{ nodeId, incarnation: "i", rack: "", endpoints: [], directoryId: `d${nodeId}`, isFenced: false },
  }));
  return {
    ...emptyImage,
    brokers: new Map(brokers.map((broker) => [broker.nodeId, broker])),
    topics: new Map([["t", topic]]),
    topicNames: new Map([["t-id", "t"]]),
    configs: new Map(
      Object.entries(states).map(([nodeId, state]) => [
        `broker:${nodeId}`,
        new Map([[nodeStateConfig, state]]),
      ]),
    ),
  };
}

/** The groups of a node that it leads. */
export function ledBy(node: FakeNode): number[] {
  return [...node.host.groups()].filter((group) => group.isSettledLeader).map(({ id }) => id);
}
