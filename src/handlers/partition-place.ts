import { ErrorCode } from "#protocol/error-codes.ts";
import type { PartitionImage } from "../cluster/metadata/metadata-image.ts";
import type { ServedBroker } from "./served-broker.ts";

/** Where a partition is, as clients are told. */
export interface PartitionPlace {
  /** LEADER_NOT_AVAILABLE where none is known. */
  readonly errorCode: ErrorCode;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly isrNodes: readonly number[];
  readonly offlineReplicas: readonly number[];
}

/** Who leads a partition and which of its replicas live, as far as this node knows. */
export function placeOf(
  broker: ServedBroker,
  topic: string,
  { index, groupId, replicas }: PartitionImage,
): PartitionPlace {
  const { brokers } = broker.metadata.image;
  const isGone = (nodeId: number): boolean => brokers.get(nodeId)?.isFenced ?? false;
  const here = broker.partitions.find(topic, index);
  const heard = broker.leaders.leaderOf(groupId);
  const epoch = Math.max(here?.leaderEpoch ?? -1, heard?.term ?? -1);

  // The leader knows; others take it that who lives is in sync.
  const inSync = here?.isLeader ? here.replicas.inSyncNodes : [];

  let leaderId = -1;
  if (here?.isLeader) leaderId = broker.config.nodeId;
  else if (heard && heard.nodeId !== broker.config.nodeId && !isGone(heard.nodeId)) leaderId = heard.nodeId;
  // Clients read where they are told that the leader is; what they write is refused there.
  else if (here && broker.partitions.leaderlessReads.allows(here)) leaderId = broker.config.nodeId;
  return {
    errorCode: leaderId < 0 ? ErrorCode.leaderNotAvailable : ErrorCode.none,
    leaderId,
    leaderEpoch: here?.isLeader ? here.leaderEpoch : epoch,
    isrNodes: inSync.length > 0 ? inSync : replicas.filter((nodeId) => !isGone(nodeId)),
    offlineReplicas: replicas.filter(isGone),
  };
}

/** Why a partition that is not open here cannot be used here: it is elsewhere, or nowhere. */
export function errorOfAbsent(broker: ServedBroker, topic: string, index: number): ErrorCode {
  const replicas = broker.metadata.image.topics.get(topic)?.partitions[index]?.replicas ?? [];
  const isElsewhere = replicas.some((nodeId) => nodeId !== broker.config.nodeId);
  return isElsewhere ? ErrorCode.notLeaderOrFollower : ErrorCode.unknownTopicOrPartition;
}
