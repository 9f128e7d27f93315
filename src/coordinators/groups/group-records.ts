/**
 * Records of `__consumer_offsets`, as every Kafka writes them.
 *
 * | key: int16 type, then   | value: int16 version, then                                                    |
 * |-------------------------|-------------------------------------------------------------------------------|
 * | 1 group topic partition | offset, leader epoch, metadata, commit timestamp; version 1 has expiry, no epoch |
 * | 2 group                 | protocol type, generation, protocol, leader, state timestamp, members           |
 *
 * A tombstone of the same key takes the fact back. Type 0 is 1 of old logs; other types are newer group kinds.
 */
import { GroupMetadataKey, GroupMetadataValue } from "#protocol/messages/internal/group-metadata-record.ts";
import { OffsetCommitKey, OffsetCommitValue } from "#protocol/messages/internal/offset-commit-record.ts";
import {
  decodeKey,
  decodeVersioned,
  encodeKey,
  encodeVersioned,
  type MessageOf,
  readRecordType,
} from "#protocol/schema/message.ts";
import type { ClassicGroup } from "./group.ts";
import type { GroupRecord } from "./group-log.ts";
import type { CommittedOffset, OffsetEntry, TopicPartition } from "./group-offsets.ts";

/** Records of one append when many are written for one group, so that a batch stays well below any size limit. */
export const maxBatchRecords = 500;

/** Versions that Kafka and the tools that read its topic understand; later ones only add tagged fields. */
const groupMetadataVersion = 3;
const offsetVersion = 3;
/** The only version that carries an expiry of its own. */
const expiringOffsetVersion = 1;

/** The group's generation and members; `assignments` stands in for what the members have, by member id. */
export function groupMetadataRecord(
  group: ClassicGroup,
  assignments?: ReadonlyMap<string, Uint8Array>,
): GroupRecord {
  const value = encodeVersioned(
    GroupMetadataValue,
    {
      protocolType: group.protocolType ?? "",
      generation: group.generationId,
      protocol: group.protocolName,
      leader: group.leaderId,
      currentStateTimestamp: group.stateTimestampMs ?? -1,
      members: Array.from(group.members.values(), (member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.timeouts.rebalanceTimeoutMs,
        sessionTimeout: member.timeouts.sessionTimeoutMs,
        subscription: member.metadataFor(group.protocolName),
        assignment: assignments ? (assignments.get(member.memberId) ?? noBytes) : member.assignment,
      })),
    },
    groupMetadataVersion,
  );
  return { key: groupMetadataKey(group.id), value };
}

export function groupTombstone(groupId: string): GroupRecord {
  return { key: groupMetadataKey(groupId), value: null };
}

export function offsetCommitRecord(groupId: string, { committed, ...at }: OffsetEntry): GroupRecord {
  const { offset, leaderEpoch, metadata, commitTimestampMs, expireTimestampMs } = committed;
  const value = encodeVersioned(
    OffsetCommitValue,
    {
      offset,
      leaderEpoch,
      metadata,
      commitTimestamp: commitTimestampMs,
      expireTimestamp: expireTimestampMs ?? -1,
    },
    expireTimestampMs === null ? offsetVersion : expiringOffsetVersion,
  );
  return { key: offsetCommitKey(groupId, at), value };
}

export function offsetTombstone(groupId: string, at: TopicPartition): GroupRecord {
  return { key: offsetCommitKey(groupId, at), value: null };
}

/** What a record says; `unknown` are the kinds of group that this coordinator does not serve. */
export type GroupFact =
  | {
      readonly kind: "offset";
      readonly groupId: string;
      readonly at: TopicPartition;
      readonly committed: CommittedOffset | null;
    }
  | { readonly kind: "group"; readonly groupId: string; readonly metadata: GroupMetadata | null }
  | { readonly kind: "unknown"; readonly recordType: number };

export type GroupMetadata = MessageOf<typeof GroupMetadataValue>;

/** Reads a record; throws ProtocolError for bytes that are none. Byte fields are views. */
export function readGroupRecord(key: Uint8Array, value: Uint8Array | null): GroupFact {
  const recordType = readRecordType(key);
  switch (recordType) {
    case 0:
    case 1: {
      // Types 0 and 1 differ in name only.
      const { group, topic, partition } = decodeKey(OffsetCommitKey, withType(key, 1));
      return {
        kind: "offset",
        groupId: group,
        at: { topic, partition },
        committed: value && readOffset(value),
      };
    }
    case 2: {
      const { group } = decodeKey(GroupMetadataKey, key);
      return { kind: "group", groupId: group, metadata: value && decodeVersioned(GroupMetadataValue, value) };
    }
    default:
      return { kind: "unknown", recordType };
  }
}

const noBytes = new Uint8Array(0);

function groupMetadataKey(groupId: string): Uint8Array {
  return encodeKey(GroupMetadataKey, { group: groupId });
}

function offsetCommitKey(groupId: string, { topic, partition }: TopicPartition): Uint8Array {
  return encodeKey(OffsetCommitKey, { group: groupId, topic, partition });
}

function readOffset(value: Uint8Array): CommittedOffset {
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = decodeVersioned(
    OffsetCommitValue,
    value,
  );
  return {
    offset,
    leaderEpoch,
    metadata,
    commitTimestampMs: commitTimestamp,
    expireTimestampMs: expireTimestamp === -1 ? null : expireTimestamp,
  };
}

/** The same key under another record type. */
function withType(key: Uint8Array, recordType: number): Uint8Array {
  const copy = new Uint8Array(key);
  new DataView(copy.buffer).setInt16(0, recordType);
  return copy;
}
