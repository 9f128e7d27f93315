import { ErrorCode } from "#protocol/error-codes.ts";
import { DescribeConfigs } from "#protocol/messages/describe-configs.ts";
import { IncrementalAlterConfigs } from "#protocol/messages/incremental-alter-configs.ts";
import { nodeStateConfig } from "../../config/millrace-configs.ts";
import { expectAccepted } from "./client-errors.ts";
import type { Cluster, MetadataAnswer } from "./cluster.ts";

const brokerResource = 4;
const operations = { set: 0, unset: 1 } as const;

/** What operators want of nodes, by node; those that do not say are left out: Apache Kafka's have no such thing. */
export async function readNodeStates(
  cluster: Cluster,
  nodeIds: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const answer = await cluster.request(DescribeConfigs, {
    resources: nodeIds.map((nodeId) => ({
      ...{ resourceType: brokerResource, resourceName: String(nodeId) },
      configurationKeys: [nodeStateConfig],
    })),
    includeSynonyms: false,
    includeDocumentation: false,
  });
  const states = new Map<number, string>();
  for (const { errorCode, resourceName, configs } of answer.results) {
    const value = configs.find(({ name }) => name === nodeStateConfig)?.value;
    if (errorCode === ErrorCode.none && value) states.set(Number(resourceName), value);
  }
  return states;
}

/** Sets what is wanted of a node; null makes it active again. Any node takes it. @throws RefusedError */
export async function setNodeState(
  cluster: Cluster,
  nodeId: number,
  state: "maintenance" | "decommission" | null,
): Promise<void> {
  const configOperation = state === null ? operations.unset : operations.set;
  const answer = await cluster.request(IncrementalAlterConfigs, {
    resources: [
      {
        ...{ resourceType: brokerResource, resourceName: String(nodeId) },
        configs: [{ name: nodeStateConfig, configOperation, value: state }],
      },
    ],
    validateOnly: false,
  });
  for (const { errorCode, errorMessage } of answer.responses) {
    expectAccepted(`set what node ${nodeId} is for`, errorCode, errorMessage);
  }
}

/** How many partitions a node leads, and of how many it has a replica. */
export function loadOf(
  { topics }: Pick<MetadataAnswer, "topics">,
  nodeId: number,
): { readonly leaderCount: number; readonly replicaCount: number } {
  const partitions = topics.flatMap((topic) => topic.partitions);
  return {
    leaderCount: partitions.filter(({ leaderId }) => leaderId === nodeId).length,
    replicaCount: partitions.filter(({ replicaNodes }) => replicaNodes.includes(nodeId)).length,
  };
}
