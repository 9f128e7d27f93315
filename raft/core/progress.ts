import { Inflight, type InflightLimits } from "./inflight.ts";
import type { SnapshotPoint } from "./messages.ts";

/** probe: one append at a time, until the place where the logs part is found · replicate: a stream · catchUp: the log is of no use. */
export type ProgressState = "probe" | "replicate" | "catchUp";

/**
 * What a leader knows of a replica's log.
 *
 * Invariants: match < next, except for the leader itself; match never falls: the replica has it durably.
 */
export class Progress {
  state: ProgressState = "probe";
  /** The last entry known to be durable there. */
  matchIndex = 0;
  /** The next entry to send. */
  nextIndex: number;
  /** The commit index that the replica was last told, or can infer. */
  sentCommitIndex = 0;
  /** Heard of since CheckQuorum looked last. */
  isActive = false;
  /** Number of the newest read request that it confirmed. */
  readContext = 0;
  /** Sends nothing until it is heard of: a probe is under way, or a catch-up failed. */
  isPaused = false;
  /** An empty append is due, whose answer tells whether what was sent has arrived. */
  isCheckDue = false;
  /** Entries are being loaded for it. */
  isLoading = false;
  /** In catch-up: the point that the replica is to install, once the host has offered one. */
  point: SnapshotPoint | undefined;
  readonly inflight: Inflight;

  constructor(nextIndex: number, limits: InflightLimits) {
    this.nextIndex = nextIndex;
    this.inflight = new Inflight(limits);
  }

  /** Starts to look for the place where the logs part, from what is known to match. */
  becomeProbe(nextIndex: number): void {
    this.#become("probe");
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1);
    this.sentCommitIndex = Math.min(this.sentCommitIndex, this.nextIndex - 1);
  }

  /** The logs match: sends ahead of answers. */
  becomeReplicate(): void {
    this.#become("replicate");
    this.nextIndex = this.matchIndex + 1;
  }

  /** The log begins behind what the replica needs. */
  becomeCatchUp(): void {
    this.#become("catchUp");
  }

  /** Whether an append may go now, or is due. */
  get canSend(): boolean {
    switch (this.state) {
      case "probe":
        return !this.isPaused && !this.isLoading;
      case "replicate":
        return !this.isLoading && !this.inflight.isFull;
      case "catchUp":
        return false;
      default:
        return this.state satisfies never;
    }
  }

  /** An append of entries up to `lastIndex` goes; `lastIndex` below next: it has none. */
  sent(lastIndex: number, sizeBytes: number): void {
    const hasEntries = lastIndex >= this.nextIndex;
    if (this.state === "probe") {
      // Entries that do not match are sent again, so next stays.
      this.isPaused = true;
    } else if (hasEntries) {
      this.nextIndex = lastIndex + 1;
      this.inflight.add(lastIndex, sizeBytes);
    }
  }

  /** The replica holds everything up to `index`; false where that is no news. */
  acknowledged(index: number): boolean {
    if (index <= this.matchIndex) return false;
    this.matchIndex = index;
    this.nextIndex = Math.max(this.nextIndex, index + 1);
    this.isPaused = false;
    return true;
  }

  /** The replica refused an append at `rejectedIndex`; the logs can at best match at `hintIndex`. False where it is stale. */
  refused(rejectedIndex: number, hintIndex: number): boolean {
    if (this.state === "catchUp") return false;
    if (this.state === "replicate") {
      if (rejectedIndex <= this.matchIndex) return false;
      this.becomeProbe(this.matchIndex + 1);
      return true;
    }
    if (this.nextIndex - 1 !== rejectedIndex) return false;
    this.nextIndex = Math.max(Math.min(rejectedIndex, hintIndex + 1), this.matchIndex + 1);
    this.sentCommitIndex = Math.min(this.sentCommitIndex, this.nextIndex - 1);
    this.isPaused = false;
    return true;
  }

  #become(state: ProgressState): void {
    this.state = state;
    this.isPaused = false;
    this.isCheckDue = false;
    this.isLoading = false;
    this.point = undefined;
    this.inflight.clear();
  }
}
