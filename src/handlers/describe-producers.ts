import { ErrorCode } from "#protocol/error-codes.ts";
import type {
  DescribeProducersRequest,
  DescribeProducersResponse,
} from "#protocol/messages/describe-producers.ts";
import { isValidTopicName } from "../cluster/metadata/topic-name.ts";
import { errorOfAbsent } from "./partition-place.ts";
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
      if (!isValidTopicName(name)) {
        return failed(partitionIndex, ErrorCode.invalidTopicException, `Topic name "${name}" is invalid`);
      }
      if (!partition) {
        const errorMessage = `This server does not host ${name}-${partitionIndex}`;
        return failed(partitionIndex, errorOfAbsent(broker, name, partitionIndex), errorMessage);
      }
      if (!partition.isLeader) {
        const errorMessage = `This server does not lead ${name}-${partitionIndex}`;
        return failed(partitionIndex, ErrorCode.notLeaderOrFollower, errorMessage);
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

function failed(partitionIndex: number, errorCode: ErrorCode, errorMessage: string) {
  return { partitionIndex, errorCode, errorMessage, activeProducers: [] };
}
