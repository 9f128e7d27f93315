import type { Configuration } from "../core/configuration.ts";
import { voteResult } from "../core/quorum.ts";
import type { ReplicaId } from "../core/replica-id.ts";

/**
 * Up to when a leader is known to have been one: each follower's last answer says that nobody else was at the time of
 * the question. Times are those of questions, so an answer that waited while the process stood still proves little.
 */
export class HeardMajority {
  readonly #own: ReplicaId;
  /** When what each follower answered last was asked. */
  readonly #askedMs = new Map<ReplicaId, number>();
  /** When a majority was asked explicitly. */
  #confirmedMs = -Infinity;

  constructor(own: ReplicaId) {
    this.#own = own;
  }

  /** A follower has answered as one of this term. */
  answered(from: ReplicaId, askedMs: number): void {
    this.#askedMs.set(from, Math.max(askedMs, this.#askedMs.get(from) ?? -Infinity));
  }

  /** A majority has answered what it was asked at that time. */
  confirmed(askedMs: number): void {
    this.#confirmedMs = Math.max(this.#confirmedMs, askedMs);
  }

  /** A connection has broken: that follower may vote for others at once. */
  lost(replica: ReplicaId): void {
    this.#askedMs.delete(replica);
    this.#confirmedMs = -Infinity;
  }

  /** Whether a majority has answered what it was asked at that time or later. */
  isSince(askedMs: number, configuration: Configuration): boolean {
    if (this.#confirmedMs >= askedMs) return true;
    const hasAnswered = (voter: ReplicaId): boolean =>
      voter === this.#own || (this.#askedMs.get(voter) ?? -Infinity) >= askedMs;
    return voteResult(configuration, hasAnswered) === "won";
  }

  /** Nothing is known any more. */
  clear(): void {
    this.#askedMs.clear();
    this.#confirmedMs = -Infinity;
  }
}
