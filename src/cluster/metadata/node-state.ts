import { nodeStateConfig } from "../../config/millrace-configs.ts";
import type { BrokerRegistration } from "./metadata-command.ts";
import { configsOf, type MetadataImage } from "./metadata-image.ts";

/**
 * What an operator wants of a node (decision 18). maintenance: it leads nothing and gets no new replicas ·
 * decommission: its replicas move away besides.
 */
export const nodeStates = ["active", "maintenance", "decommission"] as const;
export type NodeState = (typeof nodeStates)[number];

/** The state that a node is meant to be in; active unless somebody has said otherwise. */
export function nodeStateOf(image: MetadataImage, nodeId: number): NodeState {
  const text = configsOf(image, "broker", String(nodeId)).get(nodeStateConfig);
  return nodeStates.find((state) => state === text) ?? "active";
}

/** Whether a node may lead and take new replicas, as far as operators are concerned. */
export function isActive(image: MetadataImage, nodeId: number): boolean {
  return nodeStateOf(image, nodeId) === "active";
}

/** The nodes that take new replicas. */
export function nodesForReplicas(image: MetadataImage): BrokerRegistration[] {
  return [...image.brokers.values()].filter(({ nodeId, isFenced }) => !isFenced && isActive(image, nodeId));
}
