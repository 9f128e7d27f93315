import { ErrorCode } from "#protocol/error-codes.ts";
import type {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from "#protocol/messages/offset-for-leader-epoch.ts";
import { leaderEpochError } from "./leader-epoch.ts";
import { errorOfAbsent } from "./partition-place.ts";
import type { ServedBroker } from "./served-broker.ts";

/** Says where an epoch ended, so that a client can tell whether the log it read is still the log (KIP-320). */
export function offsetForLeaderEpoch(
  broker: ServedBroker,
  request: OffsetForLeaderEpochRequest,
): OffsetForLeaderEpochResponse {
  const topics = request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
      const partition = broker.partitions.find(topic, index);
      const errorCode = partition
        ? leaderEpochError(partition, currentLeaderEpoch)
        : errorOfAbsent(broker, topic, index);
      if (!partition || errorCode !== ErrorCode.none) {
        return { errorCode, partition: index, leaderEpoch: -1, endOffset: -1 };
      }
      const end = partition.endOffsetOfEpoch(leaderEpoch);
      return { errorCode, partition: index, leaderEpoch: end.epoch, endOffset: end.endOffset };
    }),
  }));
  return { topics };
}
