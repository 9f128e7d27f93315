import { strict as assert } from "node:assert";
import type { Entry } from "./entry.ts";
import type { GroupState } from "./group-state.ts";
import type { SnapshotPoint } from "./messages.ts";
import type { Progress } from "./progress.ts";
import type { Load } from "./ready.ts";
import type { ReplicaId } from "./replica-id.ts";

/** Brings the leader's log to the others, each from where it stands. */
export class Replicator {
  readonly #state: GroupState;
  readonly #progress: ReadonlyMap<ReplicaId, Progress>;
  /** Something has happened since `sendAll` that may let an append go. */
  isDue = false;
  /** Some replica does not know yet that entries that it has are committed. */
  hasUntoldCommits = false;
  #mustTellCommits = false;

  constructor(state: GroupState, progress: ReadonlyMap<ReplicaId, Progress>) {
    this.#state = state;
    this.#progress = progress;
  }

  /** Sends to everybody what there is and what may be on its way. */
  sendAll(): void {
    this.isDue = false;
    this.hasUntoldCommits = false;
    for (const [to, progress] of this.#progress) {
      if (to !== this.#state.id) this.#sendTo(to, progress);
    }
    this.#mustTellCommits = false;
  }

  /** The next `sendAll` tells of commits even where no entries go. */
  tellCommits(): void {
    this.#mustTellCommits = true;
    this.isDue = true;
  }

  /** A replica holds the log up to `matchIndex`; false where that is no news. */
  accepted(progress: Progress, matchIndex: number): boolean {
    const isNews = progress.acknowledged(matchIndex);
    if (!isNews && !(progress.state === "probe" && progress.matchIndex === matchIndex)) return false;
    this.isDue = true;
    switch (progress.state) {
      case "probe":
        progress.becomeReplicate();
        break;
      case "catchUp":
        // Whatever it was to install: what it has is enough to go on from the log.
        if (matchIndex >= this.#state.log.floor.index) progress.becomeReplicate();
        break;
      case "replicate":
        progress.inflight.acknowledgedTo(matchIndex);
        break;
      default:
        progress.state satisfies never;
    }
    return isNews;
  }

  /** A replica answers heartbeats: what was sent and not acknowledged may have been lost. */
  heardOf(progress: Progress): void {
    if (progress.state === "catchUp") return;
    progress.isPaused = false;
    const isBehind = progress.matchIndex < this.#state.log.lastIndex;
    if (progress.state === "replicate" && isBehind) progress.isCheckDue = true;
    if (progress.state === "probe" || isBehind) this.isDue = true;
  }

  /** Entries that a replica needs came from the journal; none: they are there no more. */
  loaded({ purpose }: Load, entries: readonly Entry[]): void {
    if (purpose === "apply") return;
    const progress = this.#progress.get(purpose);
    if (!progress?.isLoading) return;
    progress.isLoading = false;
    this.isDue = true;
    const first = entries[0];
    if (!first || first.index !== progress.nextIndex || !progress.canSend) return;
    // The floor may have passed while they were read: nothing is known of the place before them any more.
    if (first.index <= this.#state.log.floor.index) return;
    this.#sendEntries(purpose, progress, entries);
  }

  /** The host has a point for a replica in catch-up; false where it is not wanted any more. */
  sendSnapshot(to: ReplicaId, point: SnapshotPoint): boolean {
    const progress = this.#progress.get(to);
    if (progress?.state !== "catchUp" || point.index < this.#state.log.floor.index) return false;
    assert(point.index <= this.#state.log.commitIndex);
    progress.point = point;
    this.#sendPoint(to, point);
    return true;
  }

  /** A replica could not be brought to a point: it is asked once more, the next time that it is heard of. */
  catchUpFailed(replica: ReplicaId): void {
    const progress = this.#progress.get(replica);
    if (progress?.state !== "catchUp") return;
    progress.becomeProbe(progress.matchIndex + 1);
    progress.isPaused = true;
  }

  /** A point may have been lost on its way, or its receiver may have crashed over it. */
  repeatSnapshots(): void {
    for (const [to, progress] of this.#progress) {
      if (progress.state !== "catchUp" || !progress.point) continue;
      if (progress.point.index < this.#state.log.floor.index) this.catchUpFailed(to);
      else this.#sendPoint(to, progress.point);
    }
  }

  #sendTo(to: ReplicaId, progress: Progress): void {
    const { log } = this.#state;
    if ((progress.canSend || progress.isCheckDue) && progress.nextIndex <= log.floor.index) {
      this.#requestCatchUp(to, progress);
      return;
    }
    if (progress.isCheckDue) this.#sendEntries(to, progress, none);
    while (progress.canSend && progress.nextIndex <= log.lastIndex) {
      if (progress.nextIndex < log.firstInMemory) {
        this.#requestLoad(to, progress);
        return;
      }
      this.#sendEntries(to, progress, this.#nextEntries(progress));
    }
    const isNews = this.#isCommitNews(progress);
    const mayWait = this.#state.tellsCommitsLate && !this.#mustTellCommits;
    if ((isNews && !mayWait) || (progress.state === "probe" && progress.canSend)) {
      this.#sendEntries(to, progress, none);
    } else if (isNews) {
      this.hasUntoldCommits = true;
    }
  }

  #nextEntries({ nextIndex }: Progress): readonly Entry[] {
    const { log, limits } = this.#state;
    return log.recentEntries({ start: nextIndex, last: log.lastIndex, bytesMax: limits.appendBytesMax });
  }

  /** The replica has, or is about to get, entries of which it does not know that they are committed. */
  #isCommitNews({ state, nextIndex, sentCommitIndex }: Progress): boolean {
    const { commitIndex, floor } = this.#state.log;
    // Nothing can be said about a place below the floor.
    if (state !== "replicate" || nextIndex <= floor.index) return false;
    return Math.min(commitIndex, nextIndex - 1) > sentCommitIndex;
  }

  #sendEntries(to: ReplicaId, progress: Progress, entries: readonly Entry[]): void {
    const { id, term, log } = this.#state;
    const previousIndex = progress.nextIndex - 1;
    const previousTerm = log.termAt(previousIndex);
    assert(previousTerm !== undefined);
    const { commitIndex } = log;
    this.#state.send({
      kind: "append",
      from: id,
      to,
      term,
      previousIndex,
      previousTerm,
      commitIndex,
      entries,
    });
    let sizeBytes = 0;
    for (const entry of entries) sizeBytes += entry.payload.length;
    const lastIndex = previousIndex + entries.length;
    progress.isCheckDue = false;
    progress.sent(lastIndex, sizeBytes);
    progress.sentCommitIndex = Math.max(progress.sentCommitIndex, Math.min(commitIndex, lastIndex));
  }

  #requestLoad(to: ReplicaId, progress: Progress): void {
    const { log, limits, term } = this.#state;
    progress.isLoading = true;
    this.#state.loads.push({
      purpose: to,
      firstIndex: progress.nextIndex,
      lastIndex: log.firstInMemory - 1,
      bytesMax: Math.min(limits.loadBytesMax, limits.appendBytesMax),
      term,
    });
  }

  #requestCatchUp(to: ReplicaId, progress: Progress): void {
    progress.becomeCatchUp();
    this.#state.catchUps.push(to);
  }

  #sendPoint(to: ReplicaId, point: SnapshotPoint): void {
    const { id, term } = this.#state;
    this.#state.send({ kind: "snapshot", from: id, to, term, point });
  }
}

const none: readonly Entry[] = [];
