import type { AdminPlan } from "../clients/admin.ts";
import type { GroupMemberPlan } from "../clients/group-member.ts";
import type { ProducerPlan } from "../clients/producer.ts";
import type { ReaderPlan } from "../clients/reader.ts";
import type { DiskProfile } from "../world/disk.ts";
import type { LinkProfile } from "../world/links.ts";
import type { Fault } from "./fault.ts";

export type ClientPlan = ProducerPlan | ReaderPlan | GroupMemberPlan | AdminPlan;

export interface TopicPlan {
  readonly name: string;
  readonly partitions: number;
  readonly configs: Readonly<Record<string, string>>;
}

/**
 * All of one run but the numbers that are drawn while it goes on: plain data, so that it can be printed, thinned
 * out and run again. The seed decides the streams of those numbers.
 */
export interface Plan {
  readonly seed: number;
  readonly hosts: readonly string[];
  /** Virtual ms in which faults happen and clients begin things; then all must heal. */
  readonly safetyMs: number;
  /** Virtual ms in which, once healed, everything must come to its end. */
  readonly livenessMs: number;
  /** Under Kafka's names. */
  readonly brokerConfigs: Readonly<Record<string, string>>;
  readonly links: LinkProfile;
  readonly disk: DiskProfile;
  readonly topics: readonly TopicPlan[];
  readonly clients: readonly ClientPlan[];
  readonly faults: readonly Fault[];
  /** Who is without faults when the cluster must go on without the others; undefined for one node. */
  readonly majority: MajorityPlan | undefined;
  /** Bounds of the replication groups, where others than the broker's own are to hold. */
  readonly tight?: TightRaft | undefined;
}

/** Bounds so small that a short run meets them. */
export interface TightRaft {
  /** Entries of one append, of one write and of one load. */
  readonly entriesMax: number;
  /** Payload bytes of applied entries that stay in memory. */
  readonly recentBytesMax: number;
}

/** In the liveness phase a majority must serve by itself, whatever the others are like, and then take them back. */
export interface MajorityPlan {
  readonly others: readonly string[];
  readonly state: "down" | "paused" | "cut" | "cutIn" | "cutOut";
  /** Whether clients are cut off from the others, too. */
  readonly withClients: boolean;
}
