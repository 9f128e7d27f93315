import { ErrorCode } from "#protocol/error-codes.ts";
import type {
  UnregisterBrokerRequest,
  UnregisterBrokerResponse,
} from "#protocol/messages/unregister-broker.ts";
import { adminErrorOf, refuse } from "../cluster/admin/admin-error.ts";
import type { CommandResult } from "../cluster/metadata/apply-command.ts";
import { timedOut, within } from "../runtime/time-limit.ts";
import type { ServedBroker } from "./served-broker.ts";

/** Forgets a broker that is gone for good: Kafka forgets any, here it must be fenced and hold no replicas. */
export async function unregisterBroker(
  broker: ServedBroker,
  { brokerId: nodeId }: UnregisterBrokerRequest,
): Promise<UnregisterBrokerResponse> {
  if (nodeId < 0) return answerOf({ kind: "notRegistered" }, nodeId);
  const { metadata, clock, config } = broker;
  const proposed = metadata.propose({ kind: "unregisterBroker", nodeId });
  const result = await within(clock, config.requestTimeoutMs, proposed);
  return answerOf(result === timedOut ? { kind: "indefinite" } : result, nodeId);
}

function answerOf(result: CommandResult, nodeId: number): UnregisterBrokerResponse {
  switch (result.kind) {
    case "notRegistered":
      return refuse(ErrorCode.brokerIdNotRegistered, `Broker ID ${nodeId} is not currently registered`);
    case "notFenced":
      return refuse(
        ErrorCode.invalidRequest,
        `Cannot unregister broker ${nodeId}: it is running, stop it first`,
      );
    case "holdsReplicas":
      return refuse(
        ErrorCode.invalidRequest,
        `Cannot unregister broker ${nodeId}: it holds replicas, decommission it first`,
      );
    default:
      return adminErrorOf(result);
  }
}
