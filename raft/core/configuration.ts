import { strict as assert } from "node:assert";
import type { ReplicaId } from "./replica-id.ts";

/**
 * Who belongs to a group. While it changes there are two sets of voters, and every decision needs a majority of
 * both (joint consensus, Raft thesis 4.3).
 *
 * Invariants: all lists are sorted and without duplicates; `learners` has none of either set of voters;
 * `learnersNext` has only outgoing voters and is empty unless joint.
 */
export interface Configuration {
  readonly voters: readonly ReplicaId[];
  /** The voters before the change; empty unless joint. */
  readonly outgoing: readonly ReplicaId[];
  /** Get all entries, count for nothing. */
  readonly learners: readonly ReplicaId[];
  /** Outgoing voters that become learners once the joint configuration is left. */
  readonly learnersNext: readonly ReplicaId[];
  /** The leader leaves the joint configuration by itself as soon as it is committed. */
  readonly autoLeave: boolean;
}

/** A configuration of voters alone. */
export function votersOnly(voters: readonly ReplicaId[]): Configuration {
  return {
    voters: sorted(voters),
    outgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
}

/** Whether two majorities decide. */
export function isJoint(configuration: Configuration): boolean {
  return configuration.outgoing.length > 0;
}

/** Whether two configurations have the same members in the same parts. */
export function isSameConfiguration(a: Configuration, b: Configuration): boolean {
  const others = listsOf(b);
  return a.autoLeave === b.autoLeave && listsOf(a).every((list, i) => list.join() === others[i]?.join());
}

/** Whether a replica has a vote, in either set of voters. */
export function isVoter(configuration: Configuration, replica: ReplicaId): boolean {
  return configuration.voters.includes(replica) || configuration.outgoing.includes(replica);
}

/** Everyone who gets entries, sorted. */
export function members(configuration: Configuration): ReplicaId[] {
  return sorted([...configuration.voters, ...configuration.outgoing, ...configuration.learners]);
}

/** Ascending, each once. */
export function sorted(replicas: Iterable<ReplicaId>): ReplicaId[] {
  return [...new Set(replicas)].sort((a, b) => a - b);
}

/*
 * Payload of a configuration entry, little-endian: a whole configuration, so that it can be applied twice.
 *
 * | at | size  | field                                                           |
 * |----|-------|-----------------------------------------------------------------|
 * | 0  | u8    | format, 1                                                       |
 * | 1  | u8    | 1: leave the joint configuration by itself                      |
 * | 2  | u16   | count of voters                                                 |
 * | 4  | u16   | count of outgoing voters                                        |
 * | 6  | u16   | count of learners                                               |
 * | 8  | u16   | count of outgoing voters that become learners                   |
 * | 10 | 8 × n | the four lists, each replica as a float64 (safe integers)       |
 */
const headerBytes = 10;
const format = 1;

/** Bytes of a configuration entry's payload. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const lists = listsOf(configuration);
  const count = lists.reduce((sum, list) => sum + list.length, 0);
  const view = new DataView(new ArrayBuffer(headerBytes + 8 * count));
  view.setUint8(0, format);
  view.setUint8(1, configuration.autoLeave ? 1 : 0);
  let position = headerBytes;
  for (const [i, list] of lists.entries()) {
    assert(list.length <= 0xffff);
    view.setUint16(2 + 2 * i, list.length, true);
    for (const replica of list) {
      view.setFloat64(position, replica, true);
      position += 8;
    }
  }
  return new Uint8Array(view.buffer);
}

/** Reads what `encodeConfiguration` wrote; anything else is a bug, because entries are checked before they get here. */
export function decodeConfiguration(payload: Uint8Array): Configuration {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  assert(view.getUint8(0) === format);
  let position = headerBytes;
  function list(i: number): ReplicaId[] {
    const replicas: ReplicaId[] = [];
    for (let left = view.getUint16(2 + 2 * i, true); left > 0; left--) {
      replicas.push(view.getFloat64(position, true));
      position += 8;
    }
    return replicas;
  }
  return {
    autoLeave: view.getUint8(1) === 1,
    voters: list(0),
    outgoing: list(1),
    learners: list(2),
    learnersNext: list(3),
  };
}

function listsOf({ voters, outgoing, learners, learnersNext }: Configuration): (readonly ReplicaId[])[] {
  return [voters, outgoing, learners, learnersNext];
}
