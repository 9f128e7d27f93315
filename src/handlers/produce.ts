import assert from "node:assert/strict";
import { ErrorCode } from "#protocol/error-codes.ts";
import type { ProduceRequest, ProduceResponse } from "#protocol/messages/produce.ts";
import { topicById } from "../cluster/metadata/metadata-image.ts";
import { type Admission, type AdmissionError, admitBatch } from "../partitions/admission.ts";
import type { CommitWait } from "../partitions/awaited-commits.ts";
import type { Partition } from "../partitions/partition.ts";
import { codeOfFailedRead } from "./failure-report.ts";
import { errorOfAbsent } from "./partition-place.ts";
import { CloseConnectionError, type RequestContext } from "./request-context.ts";
import type { ServedBroker } from "./served-broker.ts";

type Request = ProduceRequest;
type Response = ProduceResponse;
type TopicData = Request["topicData"][number];
type PartitionData = TopicData["partitionData"][number];
type Admitted = Admission & { kind: "admitted" };
type PartitionAnswer = NonNullable<NonNullable<Response["responses"]>[number]["partitionResponses"]>[number];

/** Topic ids replace names from this version on (KIP-516). */
const firstVersionWithTopicIds = 13;

/** Records that are less of their request than this are copied: they would keep too much memory for what they hold. */
const keptShareMin = 0.25;

/** What became of one partition's part before anything is appended. */
type Judged =
  | { readonly kind: "refused"; readonly answer: PartitionAnswer }
  | {
      readonly kind: "admitted";
      readonly topic: string;
      readonly partition: Partition;
      readonly admitted: Admitted;
    };

/** One partition's part: its answer is known when `committed` has resolved. */
interface Appending {
  readonly answer: PartitionAnswer;
  readonly committed: Promise<void> | undefined;
}

interface AppendOptions {
  readonly data: PartitionData;
  readonly request: Request;
  readonly keptShare: number;
  readonly wait: CommitWait;
}

/** Appends batches; answers when they are durable, or not at all (acks=0). */
export async function produce(
  broker: ServedBroker,
  request: Request,
  context: RequestContext,
): Promise<Response | undefined> {
  const startedMs = broker.clock.monotonicMs();
  const isAcksValid = request.acks === 0 || request.acks === 1 || request.acks === -1;
  const room = isAcksValid ? broker.gate.enter(request.timeoutMs) : true;
  // Where there is room, batches are numbered in the very order in which their requests came.
  const hasRoom = typeof room === "boolean" ? room : await room;

  let admittedBytes = 0;
  const judged = request.topicData.map((topic) => {
    const name = topicName(broker, topic, context);
    return topic.partitionData.map((data): Judged => {
      if (name === undefined || !broker.metadata.image.topics.has(name)) {
        return refused(data, unknownTopic(context), null);
      }
      if (!isAcksValid) return refused(data, ErrorCode.invalidRequiredAcks, "acks must be -1, 0 or 1");
      if (!hasRoom) {
        broker.partitions.find(name, data.index)?.refusedForNow();
        return refused(data, ErrorCode.kafkaStorageError, broker.gate.reason);
      }
      const verdict = judge(broker, name, data, { acks: request.acks, apiVersion: context.apiVersion });
      if (verdict.kind === "admitted") admittedBytes += verdict.admitted.batch.bytes.length;
      return verdict;
    });
  });

  // A small rest of a large request must not keep all of it in memory.
  const keptShare = admittedBytes / context.frameBytes;
  const wait = {
    deadlineMs: startedMs + request.timeoutMs,
    // Kafka never lets anybody wait for its own disk alone.
    ownDeadlineMs: startedMs + Math.max(request.timeoutMs, broker.config.requestTimeoutMs),
    isForAll: request.acks === -1,
  };
  const pending: Promise<void>[] = [];
  const responses = request.topicData.map((topic, topicAt) => {
    const partitionResponses: PartitionAnswer[] = topic.partitionData.map((data, at) => {
      const verdict = judged[topicAt]?.[at];
      assert(verdict);
      if (verdict.kind === "refused") return verdict.answer;
      const { answer, committed } = append(broker, verdict, { data, request, keptShare, wait });
      if (committed) {
        const orFailed = committed.catch((error: unknown) => {
          // Whatever it is, the batch may be committed yet: clients send it again.
          partitionResponses[at] = failure(data, codeOfFailedRead(broker, error), null);
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

function judge(
  broker: ServedBroker,
  topic: string,
  data: PartitionData,
  { acks, apiVersion }: { readonly acks: number; readonly apiVersion: number },
): Judged {
  if (broker.metadata.image.topics.get(topic)?.isInternal) {
    return refused(data, ErrorCode.invalidTopicException, `Topic "${topic}" is the broker's own`);
  }
  const partition = broker.partitions.find(topic, data.index);
  if (!partition) return refused(data, errorOfAbsent(broker, topic, data.index), null);
  if (!partition.isLeader) {
    partition.refusedForNow();
    return refused(data, ErrorCode.notLeaderOrFollower, null);
  }

  if (acks === -1 && !partition.replicas.areEnough) {
    partition.refusedForNow();
    return refused(data, ErrorCode.notEnoughReplicas, null);
  }

  const admitted = admitBatch(data.records, partition.settings, {
    nowMs: broker.clock.nowMs(),
    isZstdAllowed: apiVersion >= 7,
  });
  if (admitted.kind === "refused") {
    return { kind: "refused", answer: refusedBy(partition, refusal(data, admitted.error)) };
  }
  if (admitted.isTransactional) {
    return refused(data, ErrorCode.invalidTxnState, "Transactions are not available");
  }
  return { kind: "admitted", topic, partition, admitted };
}

function append(
  broker: ServedBroker,
  { topic, partition, admitted }: Judged & { kind: "admitted" },
  { data, request, keptShare, wait }: AppendOptions,
): Appending {
  const { header } = admitted.batch;
  const bytes = keptShare < keptShareMin ? new Uint8Array(admitted.batch.bytes) : admitted.batch.bytes;
  const outcome = partition.append({ bytes, header }, broker.clock.nowMs());
  if (outcome.kind === "appended") broker.telemetry.traffic.appended(topic, header);
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
        committed: request.acks === 0 ? undefined : partition.whenCommitted(outcome.nextOffset, wait),
      };
    case "outOfOrder":
      return refusedForSure(
        partition,
        failure(
          data,
          ErrorCode.outOfOrderSequenceNumber,
          `Expected sequence ${outcome.expectedSequence}, found ${header.baseSequence}`,
        ),
      );
    case "fenced":
      return refusedForSure(
        partition,
        failure(data, ErrorCode.invalidProducerEpoch, `The producer's epoch is ${outcome.currentEpoch} now`),
      );
    case "notLeader":
      return failed(failure(data, ErrorCode.notLeaderOrFollower, null));
    default:
      return outcome satisfies never;
  }
}

/** Tells where the log starts too: a producer that lost its place finds out whether its records are gone. */
function refusedBy({ logStartOffset }: Partition, answer: PartitionAnswer): PartitionAnswer {
  return { ...answer, logStartOffset };
}

/** Producers may give up on such an answer: one that was replaced without knowing it must not give it. */
function refusedForSure(partition: Partition, answer: PartitionAnswer): Appending {
  const committed = partition.isCertainLeader ? undefined : partition.confirmLeadership();
  return { answer: refusedBy(partition, answer), committed };
}

function failed(answer: PartitionAnswer): Appending {
  return { answer, committed: undefined };
}

function refused(data: PartitionData, errorCode: ErrorCode, errorMessage: string | null): Judged {
  return { kind: "refused", answer: failure(data, errorCode, errorMessage) };
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
