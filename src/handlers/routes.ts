import { AlterConfigs } from "#protocol/messages/alter-configs.ts";
import { AlterPartitionReassignments } from "#protocol/messages/alter-partition-reassignments.ts";
import { ApiVersions } from "#protocol/messages/api-versions.ts";
import { CreatePartitions } from "#protocol/messages/create-partitions.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DeleteGroups } from "#protocol/messages/delete-groups.ts";
import { DeleteRecords } from "#protocol/messages/delete-records.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { DescribeCluster } from "#protocol/messages/describe-cluster.ts";
import { DescribeConfigs } from "#protocol/messages/describe-configs.ts";
import { DescribeGroups } from "#protocol/messages/describe-groups.ts";
import { DescribeLogDirs } from "#protocol/messages/describe-log-dirs.ts";
import { DescribeProducers } from "#protocol/messages/describe-producers.ts";
import { DescribeQuorum } from "#protocol/messages/describe-quorum.ts";
import { DescribeTopicPartitions } from "#protocol/messages/describe-topic-partitions.ts";
import { ElectLeaders } from "#protocol/messages/elect-leaders.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { FindCoordinator } from "#protocol/messages/find-coordinator.ts";
import { Heartbeat } from "#protocol/messages/heartbeat.ts";
import { IncrementalAlterConfigs } from "#protocol/messages/incremental-alter-configs.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { JoinGroup } from "#protocol/messages/join-group.ts";
import { LeaveGroup } from "#protocol/messages/leave-group.ts";
import { ListGroups } from "#protocol/messages/list-groups.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { ListPartitionReassignments } from "#protocol/messages/list-partition-reassignments.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { OffsetCommit } from "#protocol/messages/offset-commit.ts";
import { OffsetDelete } from "#protocol/messages/offset-delete.ts";
import { OffsetFetch } from "#protocol/messages/offset-fetch.ts";
import { OffsetForLeaderEpoch } from "#protocol/messages/offset-for-leader-epoch.ts";
import { Produce } from "#protocol/messages/produce.ts";
import { SyncGroup } from "#protocol/messages/sync-group.ts";
import { UnregisterBroker } from "#protocol/messages/unregister-broker.ts";
import type { Api, RequestOf, ResponseOf } from "#protocol/schema/api.ts";
import { alterConfigs, incrementalAlterConfigs } from "./alter-configs.ts";
import { apiVersions } from "./api-versions.ts";
import { createPartitions } from "./create-partitions.ts";
import { createTopics } from "./create-topics.ts";
import { deleteRecords } from "./delete-records.ts";
import { deleteTopics } from "./delete-topics.ts";
import { describeCluster } from "./describe-cluster.ts";
import { describeConfigs } from "./describe-configs.ts";
import { describeLogDirs } from "./describe-log-dirs.ts";
import { describeProducers } from "./describe-producers.ts";
import { describeQuorum } from "./describe-quorum.ts";
import { describeTopicPartitions } from "./describe-topic-partitions.ts";
import { electLeaders } from "./elect-leaders.ts";
import { fetch } from "./fetch.ts";
import { findCoordinator } from "./find-coordinator.ts";
import {
  deleteGroups,
  describeGroups,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  syncGroup,
} from "./groups.ts";
import { initProducerId } from "./init-producer-id.ts";
import { listOffsets } from "./list-offsets.ts";
import { metadata } from "./metadata.ts";
import { offsetForLeaderEpoch } from "./offset-for-leader-epoch.ts";
import { produce } from "./produce.ts";
import { alterPartitionReassignments, listPartitionReassignments } from "./reassignments.ts";
import type { AdvertisedApi, RequestContext } from "./request-context.ts";
import type { ServedBroker } from "./served-broker.ts";
import { unregisterBroker } from "./unregister-broker.ts";

/** One API that is served: every version between `advertised` that its declaration has. */
export interface Route {
  readonly api: Api;
  /** What ApiVersions tells; wider than what is served where clients need to see it so. */
  readonly advertised: readonly [min: number, max: number];
  /** Undefined is no answer at all (acks=0). */
  readonly handle: (broker: ServedBroker, request: never, context: RequestContext) => unknown;
}

type Handler<A extends Api> = (
  broker: ServedBroker,
  request: RequestOf<A>,
  context: RequestContext,
) => ResponseOf<A> | undefined | Promise<ResponseOf<A> | undefined>;

/** Every API that this broker serves: the source of ApiVersions and of docs/kafka-support.md. */
export const routes: ReadonlyMap<number, Route> = new Map(
  [
    // Clients up to librdkafka 2.11.0 turn compression off where 0 is not offered (KAFKA-18659).
    route(Produce, produce, { advertised: [0, 13] }),
    route(Fetch, fetch),
    route(ListOffsets, listOffsets),
    route(Metadata, metadata),
    route(OffsetCommit, offsetCommit),
    route(OffsetFetch, offsetFetch),
    route(FindCoordinator, findCoordinator),
    route(JoinGroup, joinGroup),
    route(Heartbeat, heartbeat),
    route(LeaveGroup, leaveGroup),
    route(SyncGroup, syncGroup),
    route(DescribeGroups, describeGroups),
    route(ListGroups, listGroups),
    route(ApiVersions, apiVersions),
    route(CreateTopics, createTopics),
    route(DeleteTopics, deleteTopics),
    route(DeleteRecords, deleteRecords),
    // Version 6 is still unstable in Kafka 4.3 (two-phase commit, KIP-939).
    route(InitProducerId, initProducerId, { advertised: [0, 5] }),
    route(OffsetForLeaderEpoch, offsetForLeaderEpoch),
    route(DescribeConfigs, describeConfigs),
    route(AlterConfigs, alterConfigs),
    route(DescribeLogDirs, describeLogDirs),
    route(CreatePartitions, createPartitions),
    route(DeleteGroups, deleteGroups),
    route(ElectLeaders, electLeaders),
    route(IncrementalAlterConfigs, incrementalAlterConfigs),
    route(AlterPartitionReassignments, alterPartitionReassignments),
    route(ListPartitionReassignments, listPartitionReassignments),
    route(OffsetDelete, offsetDelete),
    route(DescribeQuorum, describeQuorum),
    route(DescribeCluster, describeCluster),
    route(UnregisterBroker, unregisterBroker),
    route(DescribeProducers, describeProducers),
    route(DescribeTopicPartitions, describeTopicPartitions),
  ].map((entry) => [entry.api.key, entry]),
);

/** The version ranges as ApiVersions tells them. */
export const advertisedApis: readonly AdvertisedApi[] = [...routes.values()].map(
  ({ api, advertised: [minVersion, maxVersion] }) => ({ apiKey: api.key, minVersion, maxVersion }),
);

function route<A extends Api>(
  api: A,
  handle: Handler<A>,
  { advertised = api.versions }: { advertised?: readonly [number, number] } = {},
): Route {
  return { api, advertised, handle };
}
