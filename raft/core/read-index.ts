import type { ReplicaId } from "./replica-id.ts";

/** A read that waits for a majority to say that its leader still leads. */
export interface PendingRead {
  /** Number of the heartbeat round that confirms it. */
  readonly round: number;
  readonly index: number;
  readonly from: ReplicaId;
  readonly context: number;
}

/**
 * Linearizable reads without the log (Raft thesis, 6.4): the commit index at the time of the request, once a
 * majority has answered a heartbeat that was sent after it. Requests between two rounds share one.
 *
 * A leader that has not committed an entry of its term yet does not know its commit index; its reads wait.
 */
export class ReadRequests {
  #round = 0;
  #isRoundOpen = false;
  #pending: PendingRead[] = [];
  #early: { from: ReplicaId; context: number }[] = [];

  /** Reads that wait. */
  get count(): number {
    return this.#pending.length + this.#early.length;
  }

  /** The newest round that an answer should confirm; 0 while none has begun. */
  get round(): number {
    return this.#pending.length === 0 ? 0 : this.#round;
  }

  /** Whether reads have joined since the last heartbeats: a round of them has to go. */
  get isRoundDue(): boolean {
    return this.#isRoundOpen;
  }

  /** Heartbeats with the current round were sent: later reads need another. */
  roundSent(): void {
    this.#isRoundOpen = false;
  }

  /** Adds a read as of the commit index `index`. */
  add(read: { from: ReplicaId; context: number; index: number }): void {
    if (!this.#isRoundOpen) {
      this.#round += 1;
      this.#isRoundOpen = true;
    }
    this.#pending.push({ ...read, round: this.#round });
  }

  /** Keeps a read until the leader knows its commit index. */
  addEarly(read: { from: ReplicaId; context: number }): void {
    this.#early.push(read);
  }

  /** The leader's first commit of its term is at `index`: early reads start. */
  startEarly(index: number): void {
    for (const read of this.#early.splice(0)) this.add({ ...read, index });
  }

  /** Takes the reads that are confirmed because a majority answered `round`. */
  confirmedBy(round: number): readonly PendingRead[] {
    let count = 0;
    for (const read of this.#pending) {
      if (read.round > round) break;
      count += 1;
    }
    return count === 0 ? none : this.#pending.splice(0, count);
  }
}

const none: readonly PendingRead[] = [];
