import { ErrorCode } from "#protocol/error-codes.ts";
import type { MetadataImage } from "../metadata/metadata-image.ts";
import { type AdminError, refuse } from "./admin-error.ts";

/** Why somebody's choice of nodes for a partition's replicas cannot be; undefined where it can. */
export function problemOfReplicas(
  { brokers }: Pick<MetadataImage, "brokers">,
  nodeIds: readonly number[],
): AdminError | undefined {
  if (nodeIds.length === 0) return refuseReplicas("includes an empty replica list.");
  if (new Set(nodeIds).size !== nodeIds.length)
    return refuseReplicas("includes the same broker more than once.");
  const unknown = nodeIds.find((nodeId) => !brokers.has(nodeId));
  if (unknown === undefined) return undefined;
  return refuseReplicas(`includes broker ${unknown}, but no such broker is registered.`);
}

function refuseReplicas(reason: string): AdminError {
  return refuse(ErrorCode.invalidReplicaAssignment, `The manual partition assignment ${reason}`);
}
