import { zeroUuid } from "#protocol/bytes/uuid.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import type { DescribeQuorumRequest, DescribeQuorumResponse } from "#protocol/messages/describe-quorum.ts";
import { metadataTopic } from "../cluster/admin/topic-admin.ts";
import type { QuorumReplica, QuorumState } from "../cluster/membership/quorum-watch.ts";
import { registrationOf } from "../cluster/metadata/metadata-image.ts";
import type { ServedBroker } from "./served-broker.ts";

type Response = DescribeQuorumResponse;
type ReplicaAnswer = NonNullable<
  NonNullable<NonNullable<Response["topics"]>[number]["partitions"]>[number]["currentVoters"]
>[number];

/** Tells who votes in the metadata group and who follows it, whichever node is asked (KIP-595, KIP-836). */
export async function describeQuorum(
  broker: ServedBroker,
  request: DescribeQuorumRequest,
): Promise<DescribeQuorumResponse> {
  if (!isAsked(request)) return refuse(request);
  const state = await broker.operations.quorum.describe(broker.config.requestTimeoutMs);
  if (!state) {
    const errorMessage = "No node is known to lead the metadata group";
    return { errorCode: ErrorCode.notLeaderOrFollower, errorMessage, topics: [], nodes: [] };
  }
  const { leaderId, leaderEpoch, highWatermark, voters, observers } = state;
  const partition = {
    ...{ partitionIndex: 0, errorCode: ErrorCode.none, errorMessage: null },
    ...{ leaderId, leaderEpoch, highWatermark },
    currentVoters: voters.map((replica) => replicaAnswer(broker, replica)),
    observers: observers.map((replica) => replicaAnswer(broker, replica)),
  };
  return {
    errorCode: ErrorCode.none,
    errorMessage: null,
    topics: [{ topicName: metadataTopic, partitions: [partition] }],
    nodes: nodesOf(broker, state),
  };
}

/** There is one quorum, and that is all that can be asked for. */
function isAsked({ topics }: DescribeQuorumRequest): boolean {
  const [topic] = topics;
  const [partition] = topic?.partitions ?? [];
  const isOne = topics.length === 1 && topic?.partitions.length === 1;
  return isOne && topic?.topicName === metadataTopic && partition?.partitionIndex === 0;
}

function refuse({ topics }: DescribeQuorumRequest): Response {
  return {
    errorCode: ErrorCode.none,
    errorMessage: null,
    topics: topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => ({
        ...{ partitionIndex, errorCode: ErrorCode.unknownTopicOrPartition },
        errorMessage: "There is no such partition of the metadata",
        ...{ leaderId: 0, leaderEpoch: 0, highWatermark: 0, currentVoters: [], observers: [] },
      })),
    })),
    nodes: [],
  };
}

function replicaAnswer(
  broker: ServedBroker,
  { nodeId, logEndOffset, lastHeardMs, lastCaughtUpMs }: QuorumReplica,
): ReplicaAnswer {
  return {
    replicaId: nodeId,
    replicaDirectoryId: registrationOf(broker.metadata.image, nodeId)?.directoryId || zeroUuid,
    logEndOffset,
    lastFetchTimestamp: lastHeardMs,
    lastCaughtUpTimestamp: lastCaughtUpMs,
  };
}

/** Where the voters take the connections of the other nodes. */
function nodesOf(broker: ServedBroker, { voters }: QuorumState): NonNullable<Response["nodes"]> {
  const { quorum } = broker.config;
  return voters.map(({ nodeId }) => {
    const { peerHost = "", peerPort = 0 } = registrationOf(broker.metadata.image, nodeId) ?? {};
    const registered = peerHost === "" ? undefined : { host: peerHost, port: peerPort };
    const place = quorum?.voters.find((voter) => voter.nodeId === nodeId) ?? registered;
    if (!quorum || !place) return { nodeId, listeners: [] };
    return { nodeId, listeners: [{ name: quorum.listener.name, host: place.host, port: place.port }] };
  });
}
