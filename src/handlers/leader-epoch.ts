import { ErrorCode } from "#protocol/error-codes.ts";
import type { Partition } from "../partitions/partition.ts";

/** Fences a client whose view of the leadership is older or newer than ours (KIP-320); -1 does not ask. */
export function leaderEpochError(partition: Partition, currentLeaderEpoch: number): ErrorCode {
  if (!partition.isLeader) return ErrorCode.notLeaderOrFollower;
  if (currentLeaderEpoch < 0 || currentLeaderEpoch === partition.leaderEpoch) return ErrorCode.none;
  return currentLeaderEpoch < partition.leaderEpoch
    ? ErrorCode.fencedLeaderEpoch
    : ErrorCode.unknownLeaderEpoch;
}
