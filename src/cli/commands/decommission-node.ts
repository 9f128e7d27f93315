import { AlterPartitionReassignments } from "#protocol/messages/alter-partition-reassignments.ts";
import { ListPartitionReassignments } from "#protocol/messages/list-partition-reassignments.ts";
import type { Arguments } from "../arguments.ts";
import { expectAccepted } from "../client/client-errors.ts";
import type { Cluster } from "../client/cluster.ts";
import { loadOf, readNodeStates, setNodeState } from "../client/node-states.ts";
import { connectCluster } from "../connect.ts";
import { type ExitCode, exitCodes, UsageError } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { nodeOf } from "../node-argument.ts";
import { countOf } from "../quantities.ts";
import { formatFields } from "../table.ts";
import type { World } from "../world.ts";

/** A partition that is on its way, away from the node. */
interface Leaving {
  readonly topic: string;
  readonly partition: number;
}

/** How far a decommission is. */
interface Status {
  readonly node: number;
  readonly state: string;
  readonly replicaCount: number;
  readonly movingCount: number;
  /** Partitions that every other active node has a replica of already. */
  readonly stuckCount: number;
}

/** `millrace cluster decommission`. */
export async function decommissionNode(given: Arguments, world: World): Promise<ExitCode> {
  const nodeId = nodeOf(given);
  const isCancelled = given.has("cancel");
  if (isCancelled && given.has("status")) {
    throw new UsageError("Cannot tell what is meant: use either --status or --cancel");
  }
  using cluster = await connectCluster(given, world);
  if (isCancelled) await cancel(cluster, nodeId);
  else if (!given.has("status")) await setNodeState(cluster, nodeId, "decommission");
  const status = await statusOf(cluster, nodeId);
  if (given.has("json")) await writeJson(world.terminal, status);
  else await show(status, world);
  return exitCodes.ok;
}

async function cancel(cluster: Cluster, nodeId: number): Promise<void> {
  // First nobody begins another one.
  await setNodeState(cluster, nodeId, null);
  const leaving = await leavingFrom(cluster, nodeId);
  if (leaving.length === 0) return;
  const topics = [...Map.groupBy(leaving, ({ topic }) => topic)].map(([name, its]) => ({
    name,
    partitions: its.map(({ partition }) => ({ partitionIndex: partition, replicas: null })),
  }));
  const { timeoutMs } = cluster;
  const answer = await cluster.request(AlterPartitionReassignments, { timeoutMs, topics });
  expectAccepted(`cancel the moves from node ${nodeId}`, answer.errorCode, answer.errorMessage);
}

async function leavingFrom(cluster: Cluster, nodeId: number): Promise<Leaving[]> {
  const { timeoutMs } = cluster;
  const answer = await cluster.request(ListPartitionReassignments, { timeoutMs, topics: null });
  expectAccepted("list the moves under way", answer.errorCode, answer.errorMessage);
  return answer.topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ removingReplicas }) => removingReplicas.includes(nodeId))
      .map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex })),
  );
}

async function statusOf(cluster: Cluster, nodeId: number): Promise<Status> {
  const metadata = await cluster.metadata("all");
  const others = metadata.brokers.map((broker) => broker.nodeId).filter((other) => other !== nodeId);
  const states = await readNodeStates(cluster, [nodeId, ...others]);
  const successors = others.filter((other) => states.get(other) === "active");
  const stuck = metadata.topics
    .flatMap((topic) => topic.partitions)
    .filter(({ replicaNodes }) => replicaNodes.includes(nodeId))
    .filter(({ replicaNodes }) => successors.every((other) => replicaNodes.includes(other)));
  const leaving = await leavingFrom(cluster, nodeId);
  return {
    node: nodeId,
    state: states.get(nodeId) ?? "unknown",
    replicaCount: loadOf(metadata, nodeId).replicaCount,
    movingCount: leaving.length,
    stuckCount: Math.max(0, stuck.length - leaving.length),
  };
}

async function show(status: Status, { terminal }: World): Promise<void> {
  const { node, state, replicaCount, movingCount, stuckCount } = status;
  const progress = replicaCount === 0 ? "none, the node can be stopped and unregistered" : replicaCount;
  await terminal.write(
    formatFields(
      [
        ["Node", node],
        ["State", state],
        ["Replicas", state === "decommission" ? progress : replicaCount],
        ["On the move", movingCount],
      ],
      terminal,
    ),
  );
  if (state !== "decommission" || stuckCount === 0) return;
  terminal.writeError(
    `${countOf(stuckCount, "partition")} cannot go anywhere: all other active nodes have a replica already\n`,
  );
}
