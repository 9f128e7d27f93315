import type { Heartbeat } from "../core/messages.ts";
import type { HeartbeatEntry, HeartbeatSet, HeartbeatSetAnswer } from "../transport/heartbeat-set.ts";

/** What a peer is told of one group, since which version of the set, and the round that told it last. */
interface Told {
  entry: HeartbeatEntry;
  sinceVersion: number;
  round: number;
}

/** A round that was sent. */
interface Round {
  readonly version: number;
  readonly sentMs: number;
}

/** Rounds whose answers are still understood. */
const roundsKept = 64;

/**
 * Heartbeats of all groups that this node leads and a peer follows, as one changing set: a round tells what is other
 * than in the last version that the peer is known to have.
 */
export class HeartbeatSender {
  #round = 0;
  #version = 0;
  #ackedVersion = 0;
  readonly #told = new Map<number, Told>();
  /** Groups that left the set, and in which version. */
  readonly #removed = new Map<number, number>();
  /** Removals up to this version are forgotten: who has an older one is told everything. */
  #forgottenVersion = 0;
  /** The last rounds. */
  readonly #rounds = new Map<number, Round>();

  /** A group's heartbeat of the round that `take` ends. */
  note(group: number, { term, commitIndex, readContext }: Heartbeat): void {
    const told = this.#told.get(group);
    const round = this.#round + 1;
    if (!told) {
      const entry = { group, term, commitIndex, readContext };
      this.#told.set(group, { entry, sinceVersion: this.#version + 1, round });
      return;
    }
    told.round = round;
    const { entry } = told;
    if (entry.term === term && entry.commitIndex === commitIndex && entry.readContext === readContext) return;
    told.entry = { group, term, commitIndex, readContext };
    told.sinceVersion = this.#version + 1;
  }

  /** Ends a round; undefined where there is nothing to tell. */
  take(nowMs: number): HeartbeatSet | undefined {
    this.#round += 1;
    const baseVersion = this.#ackedVersion >= this.#forgottenVersion ? this.#ackedVersion : 0;
    const nextVersion = this.#version + 1;
    const changed: HeartbeatEntry[] = [];
    let isOther = false;
    for (const [group, told] of this.#told) {
      if (told.round !== this.#round) {
        this.#told.delete(group);
        this.#removed.set(group, nextVersion);
        isOther = true;
        continue;
      }
      if (told.sinceVersion === nextVersion) isOther = true;
      if (told.sinceVersion > baseVersion) changed.push(told.entry);
    }
    if (isOther) this.#version = nextVersion;
    if (this.#told.size === 0 && this.#removed.size === 0) return undefined;
    this.#noteRound(nowMs);
    const removed = baseVersion === 0 ? [] : this.#removedSince(baseVersion);
    return { round: this.#round, version: this.#version, baseVersion, changed, removed };
  }

  /** Takes an answer; tells of each group that lives with what it was told and when, or of what it says itself instead. */
  answered(
    { round, version, exceptions }: HeartbeatSetAnswer,
    onAlive: (entry: HeartbeatEntry, sentMs: number) => void,
    onException: (exception: {
      readonly group: number;
      readonly term: number;
      readonly readContext: number;
    }) => void,
  ): void {
    const answered = this.#rounds.get(round);
    // Of an earlier life of this node, or so late that it says nothing.
    if (!answered || version > this.#version) return;
    this.#acknowledged(version);
    if (version !== answered.version) return;
    const excepted = new Set<number>();
    for (const exception of exceptions) {
      excepted.add(exception.group);
      onException(exception);
    }
    for (const [group, { entry, sinceVersion }] of this.#told) {
      if (sinceVersion <= version && !excepted.has(group)) onAlive(entry, answered.sentMs);
    }
  }

  #acknowledged(version: number): void {
    this.#ackedVersion = version;
    for (const [group, removedVersion] of this.#removed) {
      if (removedVersion > version) continue;
      this.#removed.delete(group);
      this.#forgottenVersion = Math.max(this.#forgottenVersion, removedVersion);
    }
  }

  #noteRound(sentMs: number): void {
    this.#rounds.set(this.#round, { version: this.#version, sentMs });
    this.#rounds.delete(this.#round - roundsKept);
  }

  #removedSince(version: number): number[] {
    const groups: number[] = [];
    for (const [group, removedVersion] of this.#removed) {
      // It may have come back meanwhile.
      if (removedVersion > version && !this.#told.has(group)) groups.push(group);
    }
    return groups;
  }
}
