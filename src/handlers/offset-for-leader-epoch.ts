import { ErrorCode } from "#protocol/error-codes.ts";
import type {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from "#protocol/messages/offset-for-leader-epoch.ts";
import type { Partition } from "../partitions/partition.ts";
import { confirmedLeaders, confirmedReaderError } from "./confirmed-leaders.ts";
import { errorOfAbsent } from "./partition-place.ts";
import type { ServedBroker } from "./served-broker.ts";

/** Says where an epoch ended, so that a client can tell whether the log it read is still the log (KIP-320). */
export async function offsetForLeaderEpoch(
  broker: ServedBroker,
  request: OffsetForLeaderEpochRequest,
): Promise<OffsetForLeaderEpochResponse> {
  const confirmed = await confirmedLeaders(
    broker,
    request.topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition: index }) => ({ topic, index })),
    ),
  );
  const topics = request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
      const partition = broker.partitions.find(topic, index);
      const errorCode = partition
        ? confirmedReaderError(broker, partition, { currentLeaderEpoch, confirmed })
        : errorOfAbsent(broker, topic, index);
      if (!partition || errorCode !== ErrorCode.none) {
        return { errorCode, partition: index, leaderEpoch: -1, endOffset: -1 };
      }
      return { partition: index, ...endOf(partition, leaderEpoch) };
    }),
  }));
  return { topics };
}

/** Where an epoch ended. A replica that does not lead may lack the end of its last one. */
function endOf(
  partition: Partition,
  wantedEpoch: number,
): { errorCode: ErrorCode; leaderEpoch: number; endOffset: number } {
  const { epoch, endOffset } = partition.endOffsetOfEpoch(wantedEpoch);
  if (partition.isLeader || endOffset < partition.highWatermark) {
    return { errorCode: ErrorCode.none, leaderEpoch: epoch, endOffset };
  }
  // Whatever was read of the epoch was committed, and is not to be taken for cut off because it is not here.
  return epoch === wantedEpoch
    ? { errorCode: ErrorCode.none, leaderEpoch: epoch, endOffset: Number.MAX_SAFE_INTEGER }
    : { errorCode: ErrorCode.offsetNotAvailable, leaderEpoch: -1, endOffset: -1 };
}
