import type { RaftGroup } from "#raft/host/raft-group.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { MetadataImage } from "../metadata/metadata-image.ts";
import { isActive } from "../metadata/node-state.ts";
import { handOver, handOverToAny } from "./leadership-transfer.ts";

/** A partition that is open here. */
interface OpenPartition {
  readonly topic: string;
  readonly index: number;
  readonly groupId: number;
}

export interface LeaderBalanceOptions {
  readonly nodeId: number;
  readonly host: {
    groups(): Iterable<RaftGroup>;
    group(id: number): RaftGroup | undefined;
    setReluctant(isReluctant: boolean): void;
  };
  /** The partitions that this node leads. */
  readonly ledPartitions: () => Iterable<OpenPartition>;
  readonly image: () => MetadataImage;
  /** Whether a node can be talked to now. */
  readonly isReachable: (nodeId: number) => boolean;
  /** Whether a node takes no records now, because its disk is full; none, unless told. */
  readonly isFull?: (nodeId: number) => boolean;
  /** How often leadership goes back to where it was meant to be; undefined for never. */
  readonly intervalMs: number | undefined;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/** How often `check` is to be called. */
export const balanceCheckMs = 500;
/** Groups that one check hands over: each of them takes no records for a moment. */
const handOversMax = 100;
/** The next hand-backs where one check has not done them all, or a node leads again. */
const soonMs = 1_000;

/**
 * Keeps leadership where operators want it. A node that is not active, or cannot take records, gives away what it leads,
 * again and again, for an election may always make it a leader, though it leaves campaigns to others; one that may lead hands partitions
 * back, from time to time, to the replica that comes first, once that follows closely and its node may lead.
 */
export class LeaderBalance {
  readonly #options: LeaderBalanceOptions;
  #dueMs: number;
  #inactive = "";

  constructor(options: LeaderBalanceOptions) {
    this.#options = options;
    this.#dueMs = options.clock.monotonicMs() + (options.intervalMs ?? 0);
  }

  /** Does what is due, a bounded part of it at a time. */
  check(): void {
    const { nodeId, host, clock, intervalMs } = this.#options;
    this.#noticeReturns();
    const mayLead = this.#mayLead(nodeId);
    host.setReluctant(!mayLead);
    if (!mayLead) {
      this.#giveAway();
      return;
    }
    const nowMs = clock.monotonicMs();
    if (intervalMs === undefined || nowMs < this.#dueMs) return;
    const isDone = this.#handBack();
    this.#dueMs = nowMs + (isDone ? intervalMs : soonMs);
  }

  #mayLead(nodeId: number): boolean {
    const { image, isFull } = this.#options;
    return isActive(image(), nodeId) && !isFull?.(nodeId);
  }

  /** Who was taken out of service and is back gets its partitions soon, not at the next interval. */
  #noticeReturns(): void {
    const { image, clock } = this.#options;
    const { brokers } = image();
    const inactive = [...brokers.keys()].filter((nodeId) => !isActive(image(), nodeId)).join();
    if (inactive === this.#inactive) return;
    this.#inactive = inactive;
    this.#dueMs = Math.min(this.#dueMs, clock.monotonicMs() + soonMs);
  }

  #giveAway(): void {
    const { host } = this.#options;
    const mayLead = (nodeId: number) => this.#mayLead(nodeId);
    let begun = 0;
    for (const group of host.groups()) {
      if (begun === handOversMax) return;
      if (group.canPropose && handOverToAny(group, { ...this.#options, mayLead })) begun += 1;
    }
  }

  /** Answers whether nothing was left to do. */
  #handBack(): boolean {
    const { nodeId, image, host, ledPartitions } = this.#options;
    const { topics } = image();
    let begun = 0;
    for (const { topic, index, groupId } of ledPartitions()) {
      const preferred = topics.get(topic)?.partitions[index]?.replicas[0] ?? nodeId;
      const group = host.group(groupId);
      if (preferred === nodeId || !group?.canPropose || !this.#mayLead(preferred)) continue;
      if (begun === handOversMax) return false;
      if (handOver(group, preferred, this.#options)) begun += 1;
    }
    return true;
  }
}
