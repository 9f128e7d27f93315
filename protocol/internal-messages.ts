import {
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
} from "./messages/internal/consumer-group-current-member-assignment-record.ts";
import {
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
} from "./messages/internal/consumer-group-member-metadata-record.ts";
import {
  ConsumerGroupMetadataKey,
  ConsumerGroupMetadataValue,
} from "./messages/internal/consumer-group-metadata-record.ts";
import {
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
} from "./messages/internal/consumer-group-partition-metadata-record.ts";
import {
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
} from "./messages/internal/consumer-group-regular-expression-record.ts";
import {
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
} from "./messages/internal/consumer-group-target-assignment-member-record.ts";
import {
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
} from "./messages/internal/consumer-group-target-assignment-metadata-record.ts";
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from "./messages/internal/consumer-protocol.ts";
import { ControlRecordTypeSchema } from "./messages/internal/control-record-type.ts";
import { EndTxnMarker } from "./messages/internal/end-txn-marker.ts";
import { GroupMetadataKey, GroupMetadataValue } from "./messages/internal/group-metadata-record.ts";
import {
  LegacyOffsetCommitKey,
  LegacyOffsetCommitValue,
} from "./messages/internal/legacy-offset-commit-record.ts";
import { OffsetCommitKey, OffsetCommitValue } from "./messages/internal/offset-commit-record.ts";
import { DefaultPrincipalData } from "./messages/internal/principal.ts";
import { RequestHeader } from "./messages/internal/request-header.ts";
import { ResponseHeader } from "./messages/internal/response-header.ts";
import {
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupCurrentMemberAssignmentValue,
} from "./messages/internal/share-group-current-member-assignment-record.ts";
import {
  ShareGroupMemberMetadataKey,
  ShareGroupMemberMetadataValue,
} from "./messages/internal/share-group-member-metadata-record.ts";
import {
  ShareGroupMetadataKey,
  ShareGroupMetadataValue,
} from "./messages/internal/share-group-metadata-record.ts";
import {
  ShareGroupStatePartitionMetadataKey,
  ShareGroupStatePartitionMetadataValue,
} from "./messages/internal/share-group-state-partition-metadata-record.ts";
import {
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupTargetAssignmentMemberValue,
} from "./messages/internal/share-group-target-assignment-member-record.ts";
import {
  ShareGroupTargetAssignmentMetadataKey,
  ShareGroupTargetAssignmentMetadataValue,
} from "./messages/internal/share-group-target-assignment-metadata-record.ts";
import {
  StreamsGroupCurrentMemberAssignmentKey,
  StreamsGroupCurrentMemberAssignmentValue,
} from "./messages/internal/streams-group-current-member-assignment-record.ts";
import {
  StreamsGroupMemberMetadataKey,
  StreamsGroupMemberMetadataValue,
} from "./messages/internal/streams-group-member-metadata-record.ts";
import {
  StreamsGroupMetadataKey,
  StreamsGroupMetadataValue,
} from "./messages/internal/streams-group-metadata-record.ts";
import {
  StreamsGroupTargetAssignmentMemberKey,
  StreamsGroupTargetAssignmentMemberValue,
} from "./messages/internal/streams-group-target-assignment-member-record.ts";
import {
  StreamsGroupTargetAssignmentMetadataKey,
  StreamsGroupTargetAssignmentMetadataValue,
} from "./messages/internal/streams-group-target-assignment-metadata-record.ts";
import {
  StreamsGroupTopologyKey,
  StreamsGroupTopologyValue,
} from "./messages/internal/streams-group-topology-record.ts";
import { TransactionLogKey, TransactionLogValue } from "./messages/internal/transaction-log-record.ts";
import type { Message } from "./schema/message.ts";

/** Every declared data type that is not an API, by Kafka's name. */
export const internalMessages: ReadonlyMap<string, Message> = new Map(
  (
    [
      ConsumerGroupCurrentMemberAssignmentKey,
      ConsumerGroupCurrentMemberAssignmentValue,
      ConsumerGroupMemberMetadataKey,
      ConsumerGroupMemberMetadataValue,
      ConsumerGroupMetadataKey,
      ConsumerGroupMetadataValue,
      ConsumerGroupPartitionMetadataKey,
      ConsumerGroupPartitionMetadataValue,
      ConsumerGroupRegularExpressionKey,
      ConsumerGroupRegularExpressionValue,
      ConsumerGroupTargetAssignmentMemberKey,
      ConsumerGroupTargetAssignmentMemberValue,
      ConsumerGroupTargetAssignmentMetadataKey,
      ConsumerGroupTargetAssignmentMetadataValue,
      ConsumerProtocolAssignment,
      ConsumerProtocolSubscription,
      ControlRecordTypeSchema,
      DefaultPrincipalData,
      EndTxnMarker,
      GroupMetadataKey,
      GroupMetadataValue,
      LegacyOffsetCommitKey,
      LegacyOffsetCommitValue,
      OffsetCommitKey,
      OffsetCommitValue,
      RequestHeader,
      ResponseHeader,
      ShareGroupCurrentMemberAssignmentKey,
      ShareGroupCurrentMemberAssignmentValue,
      ShareGroupMemberMetadataKey,
      ShareGroupMemberMetadataValue,
      ShareGroupMetadataKey,
      ShareGroupMetadataValue,
      ShareGroupStatePartitionMetadataKey,
      ShareGroupStatePartitionMetadataValue,
      ShareGroupTargetAssignmentMemberKey,
      ShareGroupTargetAssignmentMemberValue,
      ShareGroupTargetAssignmentMetadataKey,
      ShareGroupTargetAssignmentMetadataValue,
      StreamsGroupCurrentMemberAssignmentKey,
      StreamsGroupCurrentMemberAssignmentValue,
      StreamsGroupMemberMetadataKey,
      StreamsGroupMemberMetadataValue,
      StreamsGroupMetadataKey,
      StreamsGroupMetadataValue,
      StreamsGroupTargetAssignmentMemberKey,
      StreamsGroupTargetAssignmentMemberValue,
      StreamsGroupTargetAssignmentMetadataKey,
      StreamsGroupTargetAssignmentMetadataValue,
      StreamsGroupTopologyKey,
      StreamsGroupTopologyValue,
      TransactionLogKey,
      TransactionLogValue,
    ] as readonly Message[]
  ).map((message) => [message.name, message]),
);
