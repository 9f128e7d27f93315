/**
 * The heartbeats of all groups that a node leads and a peer follows, as one section of a frame per interval.
 *
 * Only what changed is told; `version` names the whole set. A receiver that does not have `baseVersion` (frames
 * were lost, the connection is new) takes nothing and answers with the version that it has, so that the sender
 * bases the next set on that, or on none. Versions are the sender's, from 1, and never used twice in its life.
 */
export interface HeartbeatSet {
  /** Number of this heartbeat among all that the sender made for this peer. */
  readonly round: number;
  /** The set as of now. */
  readonly version: number;
  /** The set that `changed` and `removed` are about; 0: the empty one, everything is told. */
  readonly baseVersion: number;
  readonly changed: readonly HeartbeatEntry[];
  /** Groups that the sender leads no more, or the peer is no follower of. */
  readonly removed: readonly number[];
}

/** One group's heartbeat, as in the message of that name. */
export interface HeartbeatEntry {
  readonly group: number;
  readonly term: number;
  readonly commitIndex: number;
  readonly readContext: number;
}

/** Answers a whole set: every group of it lives with the term and the read context that it names, but for the exceptions. */
export interface HeartbeatSetAnswer {
  /** Round of the heartbeat that is answered. */
  readonly round: number;
  /** The set that the receiver has now; 0 for none. Not the one that was sent: nothing was taken from it. */
  readonly version: number;
  readonly exceptions: readonly HeartbeatException[];
}

/** A group that answers for itself, as it knows a newer term. */
export interface HeartbeatException {
  readonly group: number;
  readonly term: number;
  readonly readContext: number;
}

/** A set on the wire: columns, which take a third of the bytes and of the time of one message per entry. */
export interface WireHeartbeatSet {
  readonly round: number;
  readonly version: number;
  readonly baseVersion: number;
  readonly groups: readonly number[];
  readonly terms: readonly number[];
  readonly commitIndexes: readonly number[];
  readonly readContexts: readonly number[];
  readonly removed: readonly number[];
}

export interface WireHeartbeatSetAnswer {
  readonly round: number;
  readonly version: number;
  readonly groups: readonly number[];
  readonly terms: readonly number[];
  readonly readContexts: readonly number[];
}

export function toWireHeartbeats({ changed, ...set }: HeartbeatSet): WireHeartbeatSet {
  return {
    ...set,
    groups: changed.map((entry) => entry.group),
    terms: changed.map((entry) => entry.term),
    commitIndexes: changed.map((entry) => entry.commitIndex),
    readContexts: changed.map((entry) => entry.readContext),
  };
}

/** @throws RangeError when the columns are not of one length. */
export function fromWireHeartbeats(wire: WireHeartbeatSet): HeartbeatSet {
  const { groups, terms, commitIndexes, readContexts } = wire;
  const count = sameLength([groups, terms, commitIndexes, readContexts]);
  const changed: HeartbeatEntry[] = [];
  for (let index = 0; index < count; index++) {
    changed.push({
      group: groups[index] as number,
      term: terms[index] as number,
      commitIndex: commitIndexes[index] as number,
      readContext: readContexts[index] as number,
    });
  }
  const { round, version, baseVersion, removed } = wire;
  return { round, version, baseVersion, changed, removed: [...removed] };
}

export function toWireHeartbeatsAnswer({
  exceptions,
  ...answer
}: HeartbeatSetAnswer): WireHeartbeatSetAnswer {
  return {
    ...answer,
    groups: exceptions.map((exception) => exception.group),
    terms: exceptions.map((exception) => exception.term),
    readContexts: exceptions.map((exception) => exception.readContext),
  };
}

/** @throws RangeError when the columns are not of one length. */
export function fromWireHeartbeatsAnswer(wire: WireHeartbeatSetAnswer): HeartbeatSetAnswer {
  const { groups, terms, readContexts } = wire;
  sameLength([groups, terms, readContexts]);
  const exceptions = groups.map((group, index) => ({
    group,
    term: terms[index] as number,
    readContext: readContexts[index] as number,
  }));
  return { round: wire.round, version: wire.version, exceptions };
}

function sameLength(columns: readonly (readonly number[])[]): number {
  const [first = [], ...others] = columns;
  if (others.some((column) => column.length !== first.length)) {
    throw new RangeError("Cannot read heartbeats: their columns differ in length");
  }
  return first.length;
}
