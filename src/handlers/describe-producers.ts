import { ErrorCode } from "#protocol/error-codes.ts";
import type {
  DescribeProducersRequest,
  DescribeProducersResponse,
} from "#protocol/messages/describe-producers.ts";
import type { ServedBroker } from "./served-broker.ts";

/** Lists the idempotent producers that partitions remember (KIP-664). */
export function describeProducers(
  broker: ServedBroker,
  request: DescribeProducersRequest,
): DescribeProducersResponse {
  const topics = request.topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => {
      const partition = broker.partitions.find(name, partitionIndex);
      if (!partition) {
        return { partitionIndex, errorCode: ErrorCode.unknownTopicOrPartition, activeProducers: [] };
      }
      if (!partition.isLeader) {
        return { partitionIndex, errorCode: ErrorCode.notLeaderOrFollower, activeProducers: [] };
      }
      const activeProducers = [...partition.producers.entries()].map((producer) => ({
        producerId: producer.producerId,
        producerEpoch: producer.producerEpoch,
        lastSequence: producer.batches.at(-1)?.lastSequence ?? -1,
        lastTimestamp: producer.batches.at(-1)?.maxTimestampMs ?? -1,
        coordinatorEpoch: -1,
        currentTxnStartOffset: -1,
      }));
      return { partitionIndex, errorCode: ErrorCode.none, activeProducers };
    }),
  }));
  return { topics };
}
