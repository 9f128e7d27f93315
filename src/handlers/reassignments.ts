import { ErrorCode } from "#protocol/error-codes.ts";
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from "#protocol/messages/alter-partition-reassignments.ts";
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from "#protocol/messages/list-partition-reassignments.ts";
import { outOfTime } from "../cluster/admin/admin-error.ts";
import { timedOut } from "../runtime/time-limit.ts";
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
      ...outOfTime,
      allowReplicationFactorChange,
      responses: [],
    };
  }
  const answers = outcomes.values();
  const responses = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => {
      const { errorCode = ErrorCode.unknownServerError, errorMessage = null } = answers.next().value ?? {};
      return { partitionIndex, errorCode, errorMessage };
    }),
  }));
  return { errorCode: ErrorCode.none, errorMessage: null, allowReplicationFactorChange, responses };
}

/** Tells what is being moved, where to and from where. */
export function listPartitionReassignments(
  broker: ServedBroker,
  request: ListPartitionReassignmentsRequest,
): ListPartitionReassignmentsResponse {
  const ongoing = Map.groupBy(broker.reassignments.list(request.topics), ({ topic }) => topic);
  const topics = [...ongoing].map(([name, moves]) => ({
    name,
    partitions: moves.map(({ partition: { index, replicas, move } }) => ({
      partitionIndex: index,
      replicas,
      addingReplicas: move?.adding ?? [],
      removingReplicas: move?.removing ?? [],
    })),
  }));
  return { errorCode: ErrorCode.none, errorMessage: null, topics };
}
