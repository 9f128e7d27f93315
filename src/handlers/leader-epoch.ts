import { ErrorCode } from "#protocol/error-codes.ts";
import type { Partition } from "../partitions/partition.ts";
import type { ServedBroker } from "./served-broker.ts";

/** Fences a client whose view of the leadership is older or newer than ours (KIP-320); -1 does not ask. */
export function leaderEpochError(partition: Partition, currentLeaderEpoch: number): ErrorCode {
  return partition.isLeader ? fence(partition, currentLeaderEpoch) : ErrorCode.notLeaderOrFollower;
}

/** The same for those who may read from any replica that knows whom it follows (KIP-392). */
export function replicaEpochError(partition: Partition, currentLeaderEpoch: number): ErrorCode {
  const isReplica = partition.isLeader || partition.followedNodeId >= 0;
  return isReplica ? fence(partition, currentLeaderEpoch) : ErrorCode.notLeaderOrFollower;
}

function fence(partition: Partition, currentLeaderEpoch: number): ErrorCode {
  if (currentLeaderEpoch < 0 || currentLeaderEpoch === partition.leaderEpoch) return ErrorCode.none;
  return currentLeaderEpoch < partition.leaderEpoch
    ? ErrorCode.fencedLeaderEpoch
    : ErrorCode.unknownLeaderEpoch;
}

/** The same for a client that only reads what is committed: where nobody leads for long, any replica will do. */
export function readerEpochError(
  { partitions }: Pick<ServedBroker, "partitions">,
  partition: Partition,
  currentLeaderEpoch: number,
): ErrorCode {
  if (partition.isLeader || !partitions.leaderlessReads.allows(partition)) {
    return leaderEpochError(partition, currentLeaderEpoch);
  }
  return currentLeaderEpoch <= partition.leaderEpoch ? ErrorCode.none : ErrorCode.unknownLeaderEpoch;
}
