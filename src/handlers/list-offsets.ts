import { ErrorCode } from "#protocol/error-codes.ts";
import type { ListOffsetsRequest, ListOffsetsResponse } from "#protocol/messages/list-offsets.ts";
import type { Partition } from "../partitions/partition.ts";
import { confirmedLeaders, confirmedReaderError } from "./confirmed-leaders.ts";
import { codeOfFailedRead } from "./failure-report.ts";
import { errorOfAbsent } from "./partition-place.ts";
import { repeatedNames } from "./repeated-names.ts";
import type { RequestContext } from "./request-context.ts";
import type { ServedBroker } from "./served-broker.ts";

type Request = ListOffsetsRequest;
type Response = ListOffsetsResponse;
type PartitionRequest = Request["topics"][number]["partitions"][number];
type PartitionAnswer = NonNullable<NonNullable<Response["topics"]>[number]["partitions"]>[number];

/** Timestamps that stand for a place; each is known from a version on. */
const special = {
  latest: { timestamp: -1, sinceVersion: 1 },
  earliest: { timestamp: -2, sinceVersion: 1 },
  /** KIP-734. */
  maxTimestamp: { timestamp: -3, sinceVersion: 7 },
  /** KIP-405. */
  earliestLocal: { timestamp: -4, sinceVersion: 8 },
  /** KIP-1005. */
  latestTiered: { timestamp: -5, sinceVersion: 9 },
  /** KIP-1023. */
  earliestPendingUpload: { timestamp: -6, sinceVersion: 11 },
} as const;

const readCommitted = 1;
/** KIP-320. */
const firstVersionWithEpochs = 4;
const notFound = { offset: -1, timestamp: -1, leaderEpoch: -1 };

interface Place {
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

interface FindOptions {
  readonly request: Request;
  readonly context: RequestContext;
  /** The partitions of which a majority says that they are led here. */
  readonly confirmed: ReadonlySet<Partition>;
}

/** Finds offsets by timestamp: inside batches, and by the special ones for the ends of the log. */
export async function listOffsets(
  broker: ServedBroker,
  request: Request,
  context: RequestContext,
): Promise<Response> {
  const repeated = repeatedNames(
    request.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex }) => `${name}-${partitionIndex}`),
    ),
  );
  // The ends of a log that another node has led meanwhile lie elsewhere: all leaders are asked for at once.
  const confirmed = await confirmedLeaders(
    broker,
    request.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex }) => ({ topic: name, index: partitionIndex })),
    ),
  );
  const topics = [];
  for (const { name, partitions } of request.topics) {
    const answers: PartitionAnswer[] = [];
    for (const wanted of partitions) {
      const errorCode = repeated.has(`${name}-${wanted.partitionIndex}`)
        ? ErrorCode.invalidRequest
        : ErrorCode.none;
      answers.push(
        errorCode === ErrorCode.none
          ? await findOne(broker, name, wanted, { request, context, confirmed })
          : failed(wanted, errorCode),
      );
    }
    topics.push({ name, partitions: answers });
  }
  return { topics };
}

async function findOne(
  broker: ServedBroker,
  topic: string,
  wanted: PartitionRequest,
  { request: { isolationLevel }, context: { apiVersion }, confirmed }: FindOptions,
): Promise<PartitionAnswer> {
  const partition = broker.partitions.find(topic, wanted.partitionIndex);
  if (!partition) return failed(wanted, errorOfAbsent(broker, topic, wanted.partitionIndex));
  const { currentLeaderEpoch } = wanted;
  const errorCode = confirmedReaderError(broker, partition, { currentLeaderEpoch, confirmed });
  if (errorCode !== ErrorCode.none) return failed(wanted, errorCode);
  if (!isKnownTimestamp(wanted.timestamp, apiVersion)) return failed(wanted, ErrorCode.unsupportedVersion);
  // Where nobody leads a replica knows where its log begins, and no end (decision 0019).
  if (!partition.isLeader && wanted.timestamp !== special.earliest.timestamp) {
    return failed(wanted, ErrorCode.offsetNotAvailable);
  }
  try {
    const { leaderEpoch, ...place } = await find(partition, wanted.timestamp, isolationLevel);
    const epoch = apiVersion >= firstVersionWithEpochs ? { leaderEpoch } : {};
    return { partitionIndex: wanted.partitionIndex, errorCode, ...place, ...epoch };
  } catch (error) {
    return failed(wanted, codeOfFailedRead(broker, error));
  }
}

function isKnownTimestamp(timestamp: number, apiVersion: number): boolean {
  if (timestamp >= 0) return true;
  return Object.values(special).some(
    (known) => known.timestamp === timestamp && apiVersion >= known.sinceVersion,
  );
}

async function find(partition: Partition, timestamp: number, isolationLevel: number): Promise<Place> {
  const { logStartOffset, leaderEpoch } = partition;
  switch (timestamp) {
    case special.latest.timestamp: {
      const offset = isolationLevel === readCommitted ? partition.lastStableOffset : partition.highWatermark;
      return { offset, timestamp: -1, leaderEpoch };
    }
    case special.earliest.timestamp:
    case special.earliestLocal.timestamp:
      return {
        offset: logStartOffset,
        timestamp: -1,
        leaderEpoch: epochOfStart(partition),
      };
    case special.maxTimestamp.timestamp:
      await partition.whenTrimmed();
      return placeOf(await partition.log.maxTimestamp());
    case special.latestTiered.timestamp:
    case special.earliestPendingUpload.timestamp:
      // Nothing is tiered.
      return notFound;
    default:
      await partition.whenTrimmed();
      return placeOf(await partition.log.offsetForTimestamp(timestamp));
  }
}

/** A log without a batch begins in the epoch of its leader. */
function epochOfStart({ log, logStartOffset, leaderEpoch }: Partition): number {
  const epoch = log.epochAt(logStartOffset);
  return epoch < 0 ? leaderEpoch : epoch;
}

function placeOf(found: { offset: number; timestampMs: number; leaderEpoch: number } | undefined): Place {
  if (!found) return notFound;
  return { offset: found.offset, timestamp: found.timestampMs, leaderEpoch: found.leaderEpoch };
}

function failed({ partitionIndex }: PartitionRequest, errorCode: ErrorCode): PartitionAnswer {
  return { partitionIndex, errorCode, ...notFound };
}
