import { strict as assert } from "node:assert";
import { type Configuration, votersOnly } from "../core/configuration.ts";
import type { HardState } from "../core/entry.ts";
import type { RaftOptions } from "../core/group-state.ts";
import type { StoredEntry } from "../core/raft-log.ts";
import type { Floor } from "../core/ready.ts";
import { noReplica, type ReplicaId } from "../core/replica-id.ts";
import type { LogStore } from "./log-store.ts";
import type { StateMachine } from "./state-machine.ts";

/** What a group starts from. */
export interface GroupStart {
  readonly id: number;
  readonly stateMachine: StateMachine;
  readonly hardState?: HardState;
  readonly floor?: Floor;
  /** What the floor says of a replica that has forgotten its log. */
  readonly rejoinTerm?: number | undefined;
  /** As of the floor; this node alone unless told, empty for a replica that is to learn it from a leader. */
  readonly configuration?: Configuration | undefined;
  /** Where data ends at the floor, where that is known. */
  readonly floorNextOffset?: number | undefined;
  /** Durable entries behind the floor, dense; which of them are committed only the group knows. */
  readonly entries?: readonly StoredEntry[];
  /** Where the state machine's data ends. */
  readonly nextOffset?: number;
  /** Nobody waits for what followers apply: they may hear of commits a little later, for much less traffic. */
  readonly tellsCommitsLate?: boolean;
}

/** What a log begins with. */
type LogStart = Required<Pick<RaftOptions, "floor" | "nextOffset" | "entries">>;

/** What the core is to know of a group's past. */
export type RecoveredGroup = LogStart & Pick<RaftOptions, "hardState" | "rejoinTerm" | "configuration">;

/** Configuration entries must be known from the start: who votes does not wait for the disk. @throws what reading throws */
export async function withConfigurations(
  { id, entries = [] }: GroupStart,
  log: LogStore,
): Promise<readonly StoredEntry[]> {
  const complete: StoredEntry[] = [];
  for (const entry of entries) {
    const isKnown = entry.kind !== "configuration" || entry.payload;
    const range = { firstIndex: entry.index, lastIndex: entry.index, bytesMax: Infinity };
    const [read] = isKnown ? [entry] : await log.read(id, range);
    assert(read);
    complete.push(read);
  }
  return complete;
}

/** The group as `replica` finds it again, `entries` being those of the start with their configurations. */
export function recoveredGroup(
  start: GroupStart,
  entries: readonly StoredEntry[],
  replica: ReplicaId,
): RecoveredGroup {
  const { hardState = noHardState, rejoinTerm, configuration = votersOnly([replica]) } = start;
  const isOnlyVoter = configuration.voters.length === 1 && configuration.voters[0] === replica;
  const log = isOnlyVoter ? behindState(start, entries) : logOf(start, entries);
  // A vote or a term is never behind the entries.
  const term = Math.max(hardState.term, log.floor.term, entries.at(-1)?.term ?? 0);
  return { hardState: { ...hardState, term }, rejoinTerm, configuration, ...log };
}

const noHardState: HardState = { term: 0, votedFor: noReplica };

/** The log of a replica alone: what its state machine holds was committed, even where the journal has lost it, and that was accepted. */
function behindState(start: GroupStart, entries: readonly StoredEntry[]): LogStart {
  const { nextOffset = 0 } = start;
  const log = logOf(start, entries);
  const last = entries.at(-1);
  const endOffset = last ? last.baseOffset + last.offsetCount : log.nextOffset;
  if (endOffset >= nextOffset) return log;
  return { floor: last ? { index: last.index, term: last.term } : log.floor, nextOffset, entries: [] };
}

function logOf(start: GroupStart, entries: readonly StoredEntry[]): LogStart {
  const { floor = { index: 0, term: 0 }, nextOffset = 0 } = start;
  // Journals from before floors told it are of groups of one, whose data ends there or where entries tell.
  const floorNextOffset = start.floorNextOffset ?? (floor.index > 0 ? nextOffset : 0);
  return { floor, nextOffset: floorNextOffset, entries };
}
