import { AddOffsetsToTxn } from "./messages/add-offsets-to-txn.ts";
import { AddPartitionsToTxn } from "./messages/add-partitions-to-txn.ts";
import { AddRaftVoter } from "./messages/add-raft-voter.ts";
import { AlterClientQuotas } from "./messages/alter-client-quotas.ts";
import { AlterConfigs } from "./messages/alter-configs.ts";
import { AlterPartitionReassignments } from "./messages/alter-partition-reassignments.ts";
import { AlterReplicaLogDirs } from "./messages/alter-replica-log-dirs.ts";
import { AlterShareGroupOffsets } from "./messages/alter-share-group-offsets.ts";
import { AlterUserScramCredentials } from "./messages/alter-user-scram-credentials.ts";
import { ApiVersions } from "./messages/api-versions.ts";
import { ConsumerGroupDescribe } from "./messages/consumer-group-describe.ts";
import { ConsumerGroupHeartbeat } from "./messages/consumer-group-heartbeat.ts";
import { CreateAcls } from "./messages/create-acls.ts";
import { CreateDelegationToken } from "./messages/create-delegation-token.ts";
import { CreatePartitions } from "./messages/create-partitions.ts";
import { CreateTopics } from "./messages/create-topics.ts";
import { DeleteAcls } from "./messages/delete-acls.ts";
import { DeleteGroups } from "./messages/delete-groups.ts";
import { DeleteRecords } from "./messages/delete-records.ts";
import { DeleteShareGroupOffsets } from "./messages/delete-share-group-offsets.ts";
import { DeleteShareGroupState } from "./messages/delete-share-group-state.ts";
import { DeleteTopics } from "./messages/delete-topics.ts";
import { DescribeAcls } from "./messages/describe-acls.ts";
import { DescribeClientQuotas } from "./messages/describe-client-quotas.ts";
import { DescribeCluster } from "./messages/describe-cluster.ts";
import { DescribeConfigs } from "./messages/describe-configs.ts";
import { DescribeDelegationToken } from "./messages/describe-delegation-token.ts";
import { DescribeGroups } from "./messages/describe-groups.ts";
import { DescribeLogDirs } from "./messages/describe-log-dirs.ts";
import { DescribeProducers } from "./messages/describe-producers.ts";
import { DescribeQuorum } from "./messages/describe-quorum.ts";
import { DescribeShareGroupOffsets } from "./messages/describe-share-group-offsets.ts";
import { DescribeTopicPartitions } from "./messages/describe-topic-partitions.ts";
import { DescribeTransactions } from "./messages/describe-transactions.ts";
import { DescribeUserScramCredentials } from "./messages/describe-user-scram-credentials.ts";
import { ElectLeaders } from "./messages/elect-leaders.ts";
import { EndTxn } from "./messages/end-txn.ts";
import { ExpireDelegationToken } from "./messages/expire-delegation-token.ts";
import { Fetch } from "./messages/fetch.ts";
import { FindCoordinator } from "./messages/find-coordinator.ts";
import { GetTelemetrySubscriptions } from "./messages/get-telemetry-subscriptions.ts";
import { Heartbeat } from "./messages/heartbeat.ts";
import { IncrementalAlterConfigs } from "./messages/incremental-alter-configs.ts";
import { InitProducerId } from "./messages/init-producer-id.ts";
import { InitializeShareGroupState } from "./messages/initialize-share-group-state.ts";
import { JoinGroup } from "./messages/join-group.ts";
import { LeaveGroup } from "./messages/leave-group.ts";
import { ListConfigResources } from "./messages/list-config-resources.ts";
import { ListGroups } from "./messages/list-groups.ts";
import { ListOffsets } from "./messages/list-offsets.ts";
import { ListPartitionReassignments } from "./messages/list-partition-reassignments.ts";
import { ListTransactions } from "./messages/list-transactions.ts";
import { Metadata } from "./messages/metadata.ts";
import { OffsetCommit } from "./messages/offset-commit.ts";
import { OffsetDelete } from "./messages/offset-delete.ts";
import { OffsetFetch } from "./messages/offset-fetch.ts";
import { OffsetForLeaderEpoch } from "./messages/offset-for-leader-epoch.ts";
import { Produce } from "./messages/produce.ts";
import { PushTelemetry } from "./messages/push-telemetry.ts";
import { ReadShareGroupState } from "./messages/read-share-group-state.ts";
import { ReadShareGroupStateSummary } from "./messages/read-share-group-state-summary.ts";
import { RemoveRaftVoter } from "./messages/remove-raft-voter.ts";
import { RenewDelegationToken } from "./messages/renew-delegation-token.ts";
import { SaslAuthenticate } from "./messages/sasl-authenticate.ts";
import { SaslHandshake } from "./messages/sasl-handshake.ts";
import { ShareAcknowledge } from "./messages/share-acknowledge.ts";
import { ShareFetch } from "./messages/share-fetch.ts";
import { ShareGroupDescribe } from "./messages/share-group-describe.ts";
import { ShareGroupHeartbeat } from "./messages/share-group-heartbeat.ts";
import { StreamsGroupDescribe } from "./messages/streams-group-describe.ts";
import { StreamsGroupHeartbeat } from "./messages/streams-group-heartbeat.ts";
import { SyncGroup } from "./messages/sync-group.ts";
import { TxnOffsetCommit } from "./messages/txn-offset-commit.ts";
import { UnregisterBroker } from "./messages/unregister-broker.ts";
import { UpdateFeatures } from "./messages/update-features.ts";
import { WriteShareGroupState } from "./messages/write-share-group-state.ts";
import { WriteTxnMarkers } from "./messages/write-txn-markers.ts";
import type { Api } from "./schema/api.ts";

const apis: readonly Api[] = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  FindCoordinator,
  JoinGroup,
  Heartbeat,
  LeaveGroup,
  SyncGroup,
  DescribeGroups,
  ListGroups,
  SaslHandshake,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  DeleteRecords,
  InitProducerId,
  OffsetForLeaderEpoch,
  AddPartitionsToTxn,
  AddOffsetsToTxn,
  EndTxn,
  WriteTxnMarkers,
  TxnOffsetCommit,
  DescribeAcls,
  CreateAcls,
  DeleteAcls,
  DescribeConfigs,
  AlterConfigs,
  AlterReplicaLogDirs,
  DescribeLogDirs,
  SaslAuthenticate,
  CreatePartitions,
  CreateDelegationToken,
  RenewDelegationToken,
  ExpireDelegationToken,
  DescribeDelegationToken,
  DeleteGroups,
  ElectLeaders,
  IncrementalAlterConfigs,
  AlterPartitionReassignments,
  ListPartitionReassignments,
  OffsetDelete,
  DescribeClientQuotas,
  AlterClientQuotas,
  DescribeUserScramCredentials,
  AlterUserScramCredentials,
  DescribeQuorum,
  UpdateFeatures,
  DescribeCluster,
  DescribeProducers,
  UnregisterBroker,
  DescribeTransactions,
  ListTransactions,
  ConsumerGroupHeartbeat,
  ConsumerGroupDescribe,
  GetTelemetrySubscriptions,
  PushTelemetry,
  ListConfigResources,
  DescribeTopicPartitions,
  ShareGroupHeartbeat,
  ShareGroupDescribe,
  ShareFetch,
  ShareAcknowledge,
  AddRaftVoter,
  RemoveRaftVoter,
  InitializeShareGroupState,
  ReadShareGroupState,
  WriteShareGroupState,
  DeleteShareGroupState,
  ReadShareGroupStateSummary,
  StreamsGroupHeartbeat,
  StreamsGroupDescribe,
  DescribeShareGroupOffsets,
  AlterShareGroupOffsets,
  DeleteShareGroupOffsets,
];

/** Every API that a Kafka broker serves, by its key. */
export const apiByKey: ReadonlyMap<number, Api> = new Map(apis.map((api) => [api.key, api]));
