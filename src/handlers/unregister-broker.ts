import { ErrorCode } from "#protocol/error-codes.ts";
import type {
  UnregisterBrokerRequest,
  UnregisterBrokerResponse,
} from "#protocol/messages/unregister-broker.ts";
import type { CommandResult } from "../cluster/metadata-image.ts";
import { timedOut, within } from "../cluster/time-limit.ts";
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
    case "done":
      return { errorCode: ErrorCode.none, errorMessage: null };
    case "notRegistered":
      return {
        errorCode: ErrorCode.brokerIdNotRegistered,
        errorMessage: `Broker ID ${nodeId} is not currently registered`,
      };
    case "notFenced":
      return refuse(`Cannot unregister broker ${nodeId}: it is running, stop it first`);
    case "holdsReplicas":
      return refuse(`Cannot unregister broker ${nodeId}: it holds replicas, decommission it first`);
    case "overloaded":
    case "indefinite":
      return { errorCode: ErrorCode.requestTimedOut, errorMessage: null };
    case "noController":
      return { errorCode: ErrorCode.notController, errorMessage: "No node leads the metadata group" };
    default:
      return { errorCode: ErrorCode.unknownServerError, errorMessage: null };
  }
}

function refuse(errorMessage: string): UnregisterBrokerResponse {
  return { errorCode: ErrorCode.invalidRequest, errorMessage };
}
