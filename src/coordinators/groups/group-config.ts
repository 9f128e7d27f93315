/** Settings and bounds of the coordinator; Kafka's key is named where there is one. */
export interface GroupConfig {
  /** group.min.session.timeout.ms */
  readonly sessionTimeoutMsMin: number;
  /** group.max.session.timeout.ms */
  readonly sessionTimeoutMsMax: number;
  /** group.initial.rebalance.delay.ms */
  readonly initialRebalanceDelayMs: number;
  /** group.max.size: members of one group. */
  readonly memberCountMax: number;
  /** offset.metadata.max.bytes; counted in UTF-16 units, as Kafka counts them. */
  readonly offsetMetadataBytesMax: number;
  /** offsets.retention.minutes, in ms. */
  readonly offsetsRetentionMs: number;
  /** offsets.commit.timeout.ms: how long clients wait for anything that has to be written. */
  readonly commitTimeoutMs: number;
  /** How long a JoinGroup of a member that never joined before is parked before the member is dropped. */
  readonly newMemberJoinTimeoutMs: number;
  /** Groups of one partition; beyond it new groups are refused until others are removed. */
  readonly groupCountMax: number;
  /** Ids handed out by MEMBER_ID_REQUIRED and not used yet, per group; beyond it the oldest is forgotten. */
  readonly pendingMemberCountMax: number;
}

/** Kafka's defaults. */
export const defaultGroupConfig: GroupConfig = {
  sessionTimeoutMsMin: 6_000,
  sessionTimeoutMsMax: 1_800_000,
  initialRebalanceDelayMs: 3_000,
  memberCountMax: 2 ** 31 - 1,
  offsetMetadataBytesMax: 4096,
  offsetsRetentionMs: 7 * 24 * 60 * 60 * 1000,
  commitTimeoutMs: 5_000,
  newMemberJoinTimeoutMs: 5 * 60 * 1000,
  groupCountMax: 100_000,
  pendingMemberCountMax: 10_000,
};
