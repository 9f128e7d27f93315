import { ErrorCode } from "#protocol/error-codes.ts";
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from "#protocol/messages/alter-partition-reassignments.ts";
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from "#protocol/messages/list-partition-reassignments.ts";
import { timedOut } from "../cluster/time-limit.ts";
import type { ServedBroker } from "./served-broker.ts";

/** Begins moves of partitions and takes them back; that they are done is to be asked for (KIP-455). */
export async function alterPartitionReassignments(
  broker: ServedBroker,
  request: AlterPartitionReassignmentsRequest,
): Promise<AlterPartitionReassignmentsResponse> {
  const { topics, timeoutMs, allowReplicationFactorChange } = request;
  const wishes = topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, replicas }) => ({ topic: name, partition: partitionIndex, replicas })),
  );
  const outcomes = await broker.reassignments.alter(wishes, {
    limitMs: timeoutMs,
    mayChangeFactor: allowReplicationFactorChange,
  });
  if (outcomes === timedOut) {
    return {
      errorCode: ErrorCode.requestTimedOut,
      errorMessage: null,
      allowReplicationFactorChange,
      responses: [],
    };
  }
  const answers = outcomes.values();
  const responses = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => {
      const { errorCode = ErrorCode.unknownServerError, message = null } = answers.next().value ?? {};
      return { partitionIndex, errorCode, errorMessage: message };
    }),
  }));
  return { errorCode: ErrorCode.none, errorMessage: null, allowReplicationFactorChange, responses };
}

/** Tells what is being moved, where to and from where. */
export function listPartitionReassignments(
  broker: ServedBroker,
  request: ListPartitionReassignmentsRequest,
): ListPartitionReassignmentsResponse {
  const topics = new Map<string, NonNullable<ListPartitionReassignmentsResponse["topics"]>[number]>();
  for (const { topic, partition } of broker.reassignments.list(request.topics)) {
    const { index, replicas, move } = partition;
    const others = topics.get(topic)?.partitions ?? [];
    const ongoing = {
      partitionIndex: index,
      replicas,
      addingReplicas: move?.adding ?? [],
      removingReplicas: move?.removing ?? [],
    };
    topics.set(topic, { name: topic, partitions: [...others, ongoing] });
  }
  return { errorCode: ErrorCode.none, errorMessage: null, topics: [...topics.values()] };
}
