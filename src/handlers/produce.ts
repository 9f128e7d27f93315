import { ErrorCode } from "#protocol/error-codes.ts";
import type { ProduceRequest, ProduceResponse } from "#protocol/messages/produce.ts";
import { topicById } from "../cluster/metadata-image.ts";
import { type AdmissionError, admitBatch } from "../partitions/admission.ts";
import type { Partition } from "../partitions/partition.ts";
import { CloseConnectionError, type RequestContext } from "./request-context.ts";
import type { ServedBroker } from "./served-broker.ts";

type Request = ProduceRequest;
type Response = ProduceResponse;
type TopicData = Request["topicData"][number];
type PartitionData = TopicData["partitionData"][number];
type PartitionAnswer = NonNullable<NonNullable<Response["responses"]>[number]["partitionResponses"]>[number];

/** Topic ids replace names from this version on (KIP-516). */
const firstVersionWithTopicIds = 13;

/** One partition's part: its answer is known when `committed` has resolved. */
interface Appending {
  readonly answer: PartitionAnswer;
  readonly committed: Promise<void> | undefined;
}

/** Appends batches; answers when they are durable, or not at all (acks=0). */
export async function produce(
  broker: ServedBroker,
  request: Request,
  context: RequestContext,
): Promise<Response | undefined> {
  const isAcksValid = request.acks === 0 || request.acks === 1 || request.acks === -1;
  const room = isAcksValid ? broker.gate.enter(request.timeoutMs) : true;
  // Where there is room, batches are numbered in the very order in which their requests came.
  const hasRoom = typeof room === "boolean" ? room : await room;

  const pending: Promise<void>[] = [];
  const responses = request.topicData.map((topic) => {
    const name = topicName(broker, topic, context);
    const partitionResponses: PartitionAnswer[] = topic.partitionData.map((data, at) => {
      if (name === undefined || !broker.metadata.image.topics.has(name)) {
        return failure(data, unknownTopic(context), null);
      }
      if (!isAcksValid) return failure(data, ErrorCode.invalidRequiredAcks, "acks must be -1, 0 or 1");
      if (!hasRoom) return failure(data, ErrorCode.kafkaStorageError, broker.gate.reason);
      const { answer, committed } = append(broker, name, data, request, context);
      if (committed) {
        const orFailed = committed.catch(() => {
          // The partition was deleted or moved while the batch was on its way.
          partitionResponses[at] = failure(data, ErrorCode.notLeaderOrFollower, null);
        });
        pending.push(orFailed);
      }
      return answer;
    });
    return { name: topic.name, topicId: topic.topicId, partitionResponses };
  });

  if (request.acks === 0) {
    const failed = responses.flatMap((topic) => topic.partitionResponses).find(({ errorCode }) => errorCode);
    if (failed) {
      throw new CloseConnectionError(
        `Cannot append a batch of acks=0: ${failed.errorMessage ?? failed.errorCode}`,
      );
    }
    return undefined;
  }
  if (pending.length > 0) await Promise.all(pending);
  return { responses };
}

function topicName(broker: ServedBroker, topic: TopicData, context: RequestContext): string | undefined {
  if (context.apiVersion < firstVersionWithTopicIds) return topic.name;
  return topicById(broker.metadata.image, topic.topicId)?.name;
}

function unknownTopic({ apiVersion }: RequestContext): ErrorCode {
  return apiVersion < firstVersionWithTopicIds ? ErrorCode.unknownTopicOrPartition : ErrorCode.unknownTopicId;
}

function append(
  broker: ServedBroker,
  topic: string,
  data: PartitionData,
  request: Request,
  context: RequestContext,
): Appending {
  if (broker.metadata.image.topics.get(topic)?.isInternal) {
    return failed(data, ErrorCode.invalidTopicException, `Topic "${topic}" is the broker's own`);
  }
  const partition = broker.partitions.find(topic, data.index);
  if (!partition) return failed(data, ErrorCode.unknownTopicOrPartition, null);
  if (!partition.isLeader) return failed(data, ErrorCode.notLeaderOrFollower, null);

  const nowMs = broker.clock.nowMs();
  const admitted = admitBatch(data.records, partition.settings, {
    nowMs,
    isZstdAllowed: context.apiVersion >= 7,
  });
  if (admitted.kind === "refused") return refusedBy(partition, refusal(data, admitted.error));
  if (admitted.isTransactional) {
    return failed(data, ErrorCode.invalidTxnState, "Transactions are not available");
  }

  const outcome = partition.append(admitted.batch, nowMs);
  if (outcome.kind === "appended") broker.telemetry.traffic.appended(topic, admitted.batch.header);
  switch (outcome.kind) {
    case "appended":
    case "duplicate":
      return {
        answer: {
          index: data.index,
          errorCode: ErrorCode.none,
          baseOffset: outcome.baseOffset,
          logAppendTimeMs:
            outcome.kind === "duplicate" && admitted.logAppendTimeMs >= 0
              ? outcome.maxTimestampMs
              : admitted.logAppendTimeMs,
          logStartOffset: partition.logStartOffset,
        },
        committed: request.acks === 0 ? undefined : partition.whenCommitted(outcome.nextOffset),
      };
    case "outOfOrder":
      return refusedBy(
        partition,
        failure(
          data,
          ErrorCode.outOfOrderSequenceNumber,
          `Expected sequence ${outcome.expectedSequence}, found ${admitted.batch.header.baseSequence}`,
        ),
      );
    case "fenced":
      return refusedBy(
        partition,
        failure(data, ErrorCode.invalidProducerEpoch, `The producer's epoch is ${outcome.currentEpoch} now`),
      );
    case "notLeader":
      return failed(data, ErrorCode.notLeaderOrFollower, null);
    default:
      return outcome satisfies never;
  }
}

/** Tells where the log starts too: a producer that lost its place finds out whether its records are gone. */
function refusedBy({ logStartOffset }: Partition, answer: PartitionAnswer): Appending {
  return { answer: { ...answer, logStartOffset }, committed: undefined };
}

function failed(data: PartitionData, errorCode: ErrorCode, errorMessage: string | null): Appending {
  return { answer: failure(data, errorCode, errorMessage), committed: undefined };
}

function failure(data: PartitionData, errorCode: ErrorCode, errorMessage: string | null): PartitionAnswer {
  return {
    index: data.index,
    errorCode,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    errorMessage,
  };
}

function refusal(data: PartitionData, error: AdmissionError): PartitionAnswer {
  return { ...failure(data, error.code, error.message), recordErrors: error.recordErrors };
}
