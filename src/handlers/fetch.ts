import { ErrorCode } from "#protocol/error-codes.ts";
import type { FetchRequest, FetchResponse } from "#protocol/messages/fetch.ts";
import { topicById } from "../cluster/metadata/metadata-image.ts";
import { ChangeWatch } from "../partitions/change-watch.ts";
import type { Partition } from "../partitions/partition.ts";
import type { TopicTraffic } from "../telemetry/topic-traffic.ts";
import { codeOfFailedRead } from "./failure-report.ts";
import { readerEpochError, replicaEpochError } from "./leader-epoch.ts";
import { errorOfAbsent } from "./partition-place.ts";
import type { RequestContext } from "./request-context.ts";
import type { ServedBroker } from "./served-broker.ts";

type Request = FetchRequest;
type Response = FetchResponse;
type TopicRequest = Request["topics"][number];
type PartitionRequest = TopicRequest["partitions"][number];
type PartitionAnswer = NonNullable<NonNullable<Response["responses"]>[number]["partitions"]>[number];

/** Topic ids replace names from this version on (KIP-516). */
const firstVersionWithTopicIds = 13;
/** From this version on consumers may read from followers (KIP-392). */
const firstVersionWithRacks = 11;
const readCommitted = 1;
/** Asks for a new session. */
const initialSessionEpoch = 0;
/** Asks for none, or ends the one it has. */
const finalSessionEpoch = -1;
const noRecords = new Uint8Array(0);

/** One partition that is asked for, and the partition where it is here. */
interface Wanted {
  readonly request: PartitionRequest;
  readonly partition: Partition | undefined;
  /** Why it cannot be read at all. */
  readonly errorCode: ErrorCode;
}

interface WantedTopic {
  readonly topic: TopicRequest;
  readonly partitions: readonly Wanted[];
}

interface Round {
  readonly response: Response;
  readonly sizeBytes: number;
  /** Whether something is wrong that the client should hear of at once. */
  readonly hasError: boolean;
}

/**
 * Reads from the partitions in the order asked for, up to the request's bounds; waits for `minBytes` on the
 * partitions themselves, at most `maxWaitMs`. Sessions (KIP-227) are not kept: every answer is complete and
 * names session 0, as the protocol allows.
 */
export async function fetch(
  broker: ServedBroker,
  request: Request,
  context: RequestContext,
): Promise<Response> {
  if (isIncremental(request)) return { errorCode: ErrorCode.fetchSessionIdNotFound };
  const topics = resolve(broker, request, context);
  const { closed } = context.connection;
  const deadlineMs = broker.clock.monotonicMs() + Math.max(0, request.maxWaitMs);
  const first = await readAll(broker, request, topics, context);
  const isOver = ({ sizeBytes, hasError }: Round): boolean =>
    sizeBytes >= request.minBytes || hasError || closed.aborted || broker.clock.monotonicMs() >= deadlineMs;
  const partitions = topics.flatMap((topic) => topic.partitions.flatMap(({ partition }) => partition ?? []));
  if (isOver(first) || partitions.length === 0) return first.response;

  using changes = new ChangeWatch(partitions, broker.clock);
  // The first look may have missed what was committed while it was read from the disk.
  for (;;) {
    const round = await readAll(broker, request, topics, context);
    if (isOver(round)) return round.response;
    await changes.next(deadlineMs - broker.clock.monotonicMs(), closed);
  }
}

/** Sessions begin and end with a full request, which needs none (KIP-227). */
function isIncremental({ sessionEpoch }: Request): boolean {
  return sessionEpoch !== initialSessionEpoch && sessionEpoch !== finalSessionEpoch;
}

function resolve(broker: ServedBroker, request: Request, { apiVersion }: RequestContext): WantedTopic[] {
  const byId = apiVersion >= firstVersionWithTopicIds;
  const mayFollow = apiVersion >= firstVersionWithRacks;
  const epochError = (partition: Partition, epoch: number): ErrorCode =>
    mayFollow && partition.followedNodeId >= 0
      ? replicaEpochError(partition, epoch)
      : readerEpochError(broker, partition, epoch);
  return request.topics.map((topic) => {
    const name = byId ? topicById(broker.metadata.image, topic.topicId)?.name : topic.topic;
    const isKnown = name !== undefined && broker.metadata.image.topics.has(name);
    const unknown = byId ? ErrorCode.unknownTopicId : ErrorCode.unknownTopicOrPartition;
    const partitions = topic.partitions.map((partitionRequest): Wanted => {
      const partition = isKnown ? broker.partitions.find(name, partitionRequest.partition) : undefined;
      let errorCode: ErrorCode = ErrorCode.none;
      if (!isKnown) errorCode = unknown;
      else if (!partition) errorCode = errorOfAbsent(broker, name, partitionRequest.partition);
      else errorCode = epochError(partition, partitionRequest.currentLeaderEpoch);
      return { request: partitionRequest, partition, errorCode };
    });
    return { topic, partitions };
  });
}

async function readAll(
  broker: ServedBroker,
  request: Request,
  topics: readonly WantedTopic[],
  context: RequestContext,
): Promise<Round> {
  // Below version 3 a request has no bound of its own, but those are not served.
  const bytesMax = Math.min(request.maxBytes, broker.config.fetchMaxBytes);
  let sizeBytes = 0;
  let hasError = false;
  const responses = [];
  for (const { topic, partitions } of topics) {
    const answers: PartitionAnswer[] = [];
    for (const wanted of partitions) {
      const answer = await readOne(wanted, {
        maxBytes: Math.min(wanted.request.partitionMaxBytes, bytesMax - sizeBytes),
        // KIP-74: the first batch of an answer is given whole, however large, so that every client gets on.
        atLeastOneBatch: sizeBytes === 0,
        isolationLevel: request.isolationLevel,
        rackId: request.rackId,
        apiVersion: context.apiVersion,
        traffic: broker.telemetry.traffic,
        broker,
      });
      sizeBytes += answer.sizeBytes;
      hasError ||= endsWait(wanted, answer.answer);
      answers.push(answer.answer);
    }
    responses.push({ topic: topic.topic, topicId: topic.topicId, partitions: answers });
  }
  return { response: { errorCode: ErrorCode.none, sessionId: 0, responses }, sizeBytes, hasError };
}

/** What was not known from the start is told when the others are: a reader of a deleted topic would ask without end (as Kafka). */
function endsWait(
  { errorCode: known }: Wanted,
  { errorCode, divergingEpoch, preferredReadReplica = -1 }: PartitionAnswer,
): boolean {
  const isElsewhere = divergingEpoch !== undefined || preferredReadReplica >= 0;
  return (errorCode !== ErrorCode.none && !isUnknown(known)) || isElsewhere;
}

interface ReadBounds {
  readonly maxBytes: number;
  readonly atLeastOneBatch: boolean;
  readonly isolationLevel: number;
  /** Of the consumer; empty where it does not tell. */
  readonly rackId: string;
  readonly apiVersion: number;
  readonly traffic: TopicTraffic;
  readonly broker: ServedBroker;
}

async function readOne(
  { request, partition, errorCode }: Wanted,
  bounds: ReadBounds,
): Promise<{ answer: PartitionAnswer; sizeBytes: number }> {
  if (!partition || errorCode !== ErrorCode.none) {
    return failed(request, errorCode, isUnknown(errorCode) ? [] : null);
  }
  if (partition.isClosed) return failed(request, codeOfClosed(bounds.broker, partition));

  const { highWatermark, lastStableOffset, logStartOffset } = partition;
  const place = {
    partitionIndex: request.partition,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    abortedTransactions: bounds.isolationLevel === readCommitted ? [] : null,
  };
  const diverging = divergence(partition, request);
  // An epoch that this log has not reached cannot be answered as a divergence: the reader would ask again for ever.
  const isOfFuture = diverging !== undefined && diverging.endOffset < 0;
  if (diverging && !isOfFuture) {
    return {
      answer: { ...place, errorCode: ErrorCode.none, divergingEpoch: diverging, records: noRecords },
      sizeBytes: 0,
    };
  }
  if (isOfFuture || request.fetchOffset < logStartOffset) return failed(request, ErrorCode.offsetOutOfRange);
  if (request.fetchOffset > highWatermark) {
    const errorCode = await errorBehind(partition, request);
    if (errorCode !== ErrorCode.none) return failed(request, errorCode);
  }

  // Whom nobody leads gives what it has (decision 19). Behind that the reader has to look for the others: they may go on.
  const isLeaderless = !partition.isLeader && partition.followedNodeId < 0;
  if (isLeaderless && request.fetchOffset >= highWatermark) {
    return failed(request, ErrorCode.notLeaderOrFollower);
  }

  const mayBeElsewhere = bounds.rackId !== "" && partition.isLeader;
  const preferredReadReplica = mayBeElsewhere
    ? bounds.broker.readReplicas.preferred(partition, {
        rackId: bounds.rackId,
        fetchOffset: request.fetchOffset,
      })
    : -1;
  const mayRead = (bounds.maxBytes > 0 || bounds.atLeastOneBatch) && preferredReadReplica < 0;
  if (!mayRead || request.fetchOffset >= highWatermark) {
    const nothing = { errorCode: ErrorCode.none, preferredReadReplica, records: noRecords };
    return { answer: { ...place, ...nothing }, sizeBytes: 0 };
  }
  try {
    const reading = partition.log.read({
      offset: request.fetchOffset,
      maxBytes: Math.max(0, bounds.maxBytes),
      upToOffset: bounds.isolationLevel === readCommitted ? lastStableOffset : highWatermark,
      atLeastOneBatch: bounds.atLeastOneBatch,
    });
    // Whatever memory holds is there at once.
    const isFromMemory = !(reading instanceof Promise);
    const slice = isFromMemory ? reading : await reading;
    bounds.traffic.read(partition.topic, { sizeBytes: slice.sizeBytes, isFromMemory });
    return {
      answer: { ...place, errorCode: ErrorCode.none, records: slice.chunks },
      sizeBytes: slice.sizeBytes,
    };
  } catch (error) {
    return failed(request, codeOfFailedRead(bounds.broker, error));
  }
}

/**
 * What a reader is told whose offset is not committed here. A follower may be behind: what it has waits for its commit,
 * and of what it has not only the leader knows whether it is there (KIP-392).
 */
async function errorBehind(partition: Partition, { fetchOffset }: PartitionRequest): Promise<ErrorCode> {
  if (!partition.isLeader) {
    return fetchOffset <= partition.endOffset ? ErrorCode.none : ErrorCode.offsetNotAvailable;
  }
  try {
    // Readers that are told so begin somewhere else: one that was replaced without knowing it must not say it.
    await partition.confirmLeadership();
  } catch {
    return ErrorCode.notLeaderOrFollower;
  }
  return fetchOffset <= partition.highWatermark ? ErrorCode.none : ErrorCode.offsetOutOfRange;
}

/** Deleted, or only moved away. */
function codeOfClosed({ metadata }: ServedBroker, { topic }: Partition): ErrorCode {
  return metadata.image.topics.has(topic) ? ErrorCode.notLeaderOrFollower : ErrorCode.unknownTopicOrPartition;
}

/** KIP-595: a reader whose last epoch is not ours is told where the two logs part. */
function divergence(
  partition: Partition,
  { lastFetchedEpoch, fetchOffset }: PartitionRequest,
): { epoch: number; endOffset: number } | undefined {
  if (lastFetchedEpoch < 0) return undefined;
  const end = partition.endOffsetOfEpoch(lastFetchedEpoch);
  return end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset ? end : undefined;
}

function isUnknown(errorCode: ErrorCode): boolean {
  return errorCode === ErrorCode.unknownTopicOrPartition || errorCode === ErrorCode.unknownTopicId;
}

function failed(
  request: PartitionRequest,
  errorCode: ErrorCode,
  abortedTransactions: PartitionAnswer["abortedTransactions"] = null,
): { answer: PartitionAnswer; sizeBytes: number } {
  return {
    answer: {
      partitionIndex: request.partition,
      errorCode,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      abortedTransactions,
      records: noRecords,
    },
    sizeBytes: 0,
  };
}
