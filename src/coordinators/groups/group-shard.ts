import { ErrorCode } from "#protocol/error-codes.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Identity } from "../../runtime/identity.ts";
import { timedOut, within } from "../../runtime/time-limit.ts";
import { ClassicGroup } from "./group.ts";
import type { GroupConfig } from "./group-config.ts";
import { type GroupLog, GroupLogError, type GroupRecord } from "./group-log.ts";
import { maxBatchRecords } from "./group-records.ts";
import type { TopicDirectory } from "./topic-directory.ts";

/** The ports and settings that the coordinator lives on. */
export interface GroupEnvironment {
  readonly log: GroupLog;
  readonly clock: Pick<Clock, "nowMs" | "schedule">;
  readonly identity: Pick<Identity, "newMemberSuffix">;
  readonly topics: TopicDirectory;
  readonly config: GroupConfig;
}

/** loading: its log is being read · active: it answers · failed: its log could not be read · resigned: another node's. */
export type ShardStatus = "loading" | "active" | "failed" | "resigned";

/**
 * The groups of one partition of `__consumer_offsets`, for as long as this node coordinates it once.
 * Taking the partition again makes a new shard, so whatever still runs for the old one cannot touch the new.
 */
export class GroupShard {
  readonly partition: number;
  readonly environment: GroupEnvironment;
  status: ShardStatus = "loading";
  readonly #groups = new Map<string, ClassicGroup>();

  constructor(partition: number, environment: GroupEnvironment) {
    this.partition = partition;
    this.environment = environment;
  }

  get config(): GroupConfig {
    return this.environment.config;
  }

  get groups(): ReadonlyMap<string, ClassicGroup> {
    return this.#groups;
  }

  nowMs(): number {
    return this.environment.clock.nowMs();
  }

  find(groupId: string): ClassicGroup | undefined {
    return this.#groups.get(groupId);
  }

  /** Makes an empty group; undefined when the shard is full. */
  create(groupId: string): ClassicGroup | undefined {
    if (this.#groups.size >= this.config.groupCountMax) return undefined;
    const group = new ClassicGroup(groupId, "Empty", this.nowMs());
    this.#groups.set(groupId, group);
    return group;
  }

  /** Puts a group that was loaded, or one whose deletion did not reach the log. */
  put(group: ClassicGroup): void {
    this.#groups.set(group.id, group);
  }

  /** Takes a group out and ends it: what still waits for the log on its behalf finds it Dead. */
  bury(group: ClassicGroup): void {
    for (const cancel of group.pendingMembers.values()) cancel();
    group.pendingMembers.clear();
    group.timer?.cancel();
    group.timer = null;
    group.transition("Dead", this.nowMs());
    this.#groups.delete(group.id);
  }

  /** Forgets a group that never held anything: names that clients make up cost no memory for long. */
  dropIfHollow(group: ClassicGroup): void {
    if (group.isHollow) this.bury(group);
  }

  /** Appends the records atomically and says how that ended, in Kafka's codes for coordinators. */
  async append(
    records: readonly GroupRecord[],
    tooLarge: ErrorCode = ErrorCode.unknownServerError,
  ): Promise<ErrorCode> {
    try {
      await this.environment.log.append(this.partition, records, this.nowMs());
      return ErrorCode.none;
    } catch (error) {
      if (!(error instanceof GroupLogError)) throw error;
      return appendFailure(error, tooLarge);
    }
  }

  /**
   * What became of a write, as its client hears it: in time, or that the coordinator is not available. What it does
   * to the group follows what really becomes of it, whenever that is.
   */
  async inTime(outcome: Promise<ErrorCode>): Promise<ErrorCode> {
    const inTime = await within(this.environment.clock, this.config.commitTimeoutMs, outcome);
    return inTime === timedOut ? ErrorCode.coordinatorNotAvailable : inTime;
  }

  /** Appends any number of records, as many batches as they need; stops at the first failure. */
  async appendInBatches(records: readonly GroupRecord[]): Promise<ErrorCode> {
    // All batches are handed over in this pass: nothing of the same group can come between them.
    const appends: Promise<ErrorCode>[] = [];
    for (let start = 0; start < records.length; start += maxBatchRecords) {
      appends.push(this.append(records.slice(start, start + maxBatchRecords)));
    }
    const outcomes = await Promise.all(appends);
    return outcomes.find((outcome) => outcome !== ErrorCode.none) ?? ErrorCode.none;
  }
}

function appendFailure(error: GroupLogError, tooLarge: ErrorCode): ErrorCode {
  switch (error.code) {
    case "notLeader":
      return ErrorCode.notCoordinator;
    case "unavailable":
      return ErrorCode.coordinatorNotAvailable;
    case "tooLarge":
      return tooLarge;
    default:
      return error.code satisfies never;
  }
}
