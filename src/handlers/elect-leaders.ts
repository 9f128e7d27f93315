import { ErrorCode } from "#protocol/error-codes.ts";
import type { ElectLeadersRequest, ElectLeadersResponse } from "#protocol/messages/elect-leaders.ts";
import type { ElectionOutcome, LeaderWish } from "../cluster/leaders/leader-elections.ts";
import type { PartitionImage } from "../cluster/metadata/metadata-image.ts";
import { isActive } from "../cluster/metadata/node-state.ts";
import type { ServedBroker } from "./served-broker.ts";

type TopicResult = NonNullable<ElectLeadersResponse["replicaElectionResults"]>[number];
type PartitionResult = NonNullable<TopicResult["partitionResult"]>[number];

const electionTypes = { preferred: 0, unclean: 1 } as const;

/** A partition that was asked for; `image` is undefined where there is none. */
interface Asked {
  readonly topic: string;
  readonly partitionId: number;
  readonly image: PartitionImage | undefined;
}

type Elect = (asked: readonly Asked[]) => Promise<PartitionResult[]> | PartitionResult[];

/** Gives partitions the leader that comes first among their replicas, or tells that they have one (KIP-460). */
export async function electLeaders(
  broker: ServedBroker,
  request: ElectLeadersRequest,
): Promise<ElectLeadersResponse> {
  const { electionType, topicPartitions, timeoutMs } = request;
  const elect: Elect | undefined = {
    [electionTypes.preferred]: (asked: readonly Asked[]) => electPreferred(broker, asked, timeoutMs),
    [electionTypes.unclean]: (asked: readonly Asked[]) => asked.map((one) => judgeUnclean(broker, one)),
  }[electionType];
  if (!elect) return refuse(request);

  const topics = topicPartitions ? askedFor(broker, topicPartitions) : all(broker);
  const results = await elect(topics.flatMap(({ partitions }) => partitions));
  let from = 0;
  const replicaElectionResults = topics.map(({ topic, partitions }): TopicResult => {
    const its = results.slice(from, from + partitions.length);
    from += partitions.length;
    // Who asks for all is not told of those that are led as they should be.
    return { topic, partitionResult: topicPartitions ? its : its.filter(isNews) };
  });
  return { errorCode: ErrorCode.none, replicaElectionResults };
}

function refuse({ electionType, topicPartitions }: ElectLeadersRequest): ElectLeadersResponse {
  const errorCode = ErrorCode.invalidRequest;
  const errorMessage = `There is no election of type ${electionType}`;
  return {
    errorCode,
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage })),
    })),
  };
}

interface AskedTopic {
  readonly topic: string;
  readonly partitions: readonly Asked[];
}

function askedFor(
  broker: ServedBroker,
  topicPartitions: NonNullable<ElectLeadersRequest["topicPartitions"]>,
): AskedTopic[] {
  const { topics } = broker.metadata.image;
  return topicPartitions.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((partitionId) => ({
      ...{ topic, partitionId },
      image: topics.get(topic)?.partitions[partitionId],
    })),
  }));
}

function all(broker: ServedBroker): AskedTopic[] {
  return [...broker.metadata.image.topics.values()].map(({ name, partitions }) => ({
    topic: name,
    partitions: partitions.map((image) => ({ topic: name, partitionId: image.index, image })),
  }));
}

function isNews({ errorCode }: PartitionResult): boolean {
  return errorCode !== ErrorCode.electionNotNeeded;
}

async function electPreferred(
  broker: ServedBroker,
  asked: readonly Asked[],
  timeoutMs: number,
): Promise<PartitionResult[]> {
  const { elections } = broker.operations;
  const wishes = new Map<Asked, LeaderWish>();
  for (const one of asked) {
    const wish = wishOf(one);
    // Whoever is out of service leads nothing, whatever its place.
    const mayLead = wish && isActive(broker.metadata.image, wish.nodeId);
    if (wish && (mayLead || elections.leaderOf(wish.groupId) === wish.nodeId)) wishes.set(one, wish);
  }
  const outcomes = await elections.elect([...wishes.values()], Math.max(0, timeoutMs));
  const byAsked = new Map([...wishes.keys()].map((one, at) => [one, outcomes[at]] as const));
  return asked.map((one) => {
    if (!one.image) return unknown(one);
    return preferredResult(one, byAsked.get(one) ?? "notAvailable");
  });
}

function wishOf({ image }: Asked): LeaderWish | undefined {
  const [nodeId] = image?.replicas ?? [];
  return image && nodeId !== undefined ? { groupId: image.groupId, nodeId } : undefined;
}

function preferredResult({ topic, partitionId }: Asked, outcome: ElectionOutcome): PartitionResult {
  const name = `${topic}-${partitionId}`;
  switch (outcome) {
    case "elected":
      return { partitionId, errorCode: ErrorCode.none, errorMessage: null };
    case "notNeeded":
      return notNeeded(partitionId, `The preferred leader of ${name} leads it already`);
    case "notAvailable":
      return {
        partitionId,
        errorCode: ErrorCode.preferredLeaderNotAvailable,
        errorMessage: `The preferred leader of ${name} cannot take over: it is out of service, or behind`,
      };
    case "timedOut":
      return { partitionId, errorCode: ErrorCode.requestTimedOut, errorMessage: null };
    default:
      return outcome satisfies never;
  }
}

/** Raft knows no unclean election: who lacks committed records never leads (docs/differences.md). */
function judgeUnclean(broker: ServedBroker, asked: Asked): PartitionResult {
  const { image, partitionId, topic } = asked;
  if (!image) return unknown(asked);
  if (broker.operations.elections.leaderOf(image.groupId) >= 0) {
    return notNeeded(partitionId, `${topic}-${partitionId} has a leader`);
  }
  return {
    partitionId,
    errorCode: ErrorCode.eligibleLeadersNotAvailable,
    errorMessage: `${topic}-${partitionId} gets a leader by itself once a majority of its replicas is there`,
  };
}

function notNeeded(partitionId: number, errorMessage: string): PartitionResult {
  return { partitionId, errorCode: ErrorCode.electionNotNeeded, errorMessage };
}

function unknown({ topic, partitionId }: Asked): PartitionResult {
  const errorMessage = `There is no partition ${topic}-${partitionId}`;
  return { partitionId, errorCode: ErrorCode.unknownTopicOrPartition, errorMessage };
}
