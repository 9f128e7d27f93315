import { votersOnly } from "#raft/core/configuration.ts";
import type { EntryId } from "#raft/core/entry.ts";
import type { RaftHost } from "#raft/host/raft-host.ts";
import type { StoredGroup } from "../runtime/journal-log-store.ts";

export interface RetiredGroupsOptions {
  readonly host: Pick<RaftHost, "group" | "retire" | "remove">;
  /** What the journal kept of a group when this node started. */
  readonly storedGroup: (groupId: number) => StoredGroup | undefined;
}

/**
 * What this node remembers of groups that have no replica running here. A replica that comes back must be told from the
 * one that it was: that much is kept of one that has left.
 */
export class RetiredGroups {
  readonly #options: RetiredGroupsOptions;
  readonly #retired = new Map<number, StoredGroup>();

  constructor(options: RetiredGroupsOptions) {
    this.#options = options;
  }

  /** What a replica of the group has to begin with. */
  memoryOf(groupId: number): StoredGroup | undefined {
    return this.#retired.get(groupId) ?? this.#options.storedGroup(groupId);
  }

  /** Whether the log that this node has of a group, running or not, has this entry, which was committed, or has released it. */
  holds(groupId: number, entry: EntryId): boolean {
    const group = this.#options.host.group(groupId);
    if (group) return group.holds(entry);
    const { floor, entries } = this.memoryOf(groupId) ?? blank;
    const isSame = ({ index, term }: EntryId) => index === entry.index && term === entry.term;
    return floor.index >= entry.index || entries.some(isSame);
  }

  /** The group's replica has left this node. */
  retire(groupId: number): void {
    const { host, storedGroup } = this.#options;
    const stored = storedGroup(groupId);
    const isBlank = !stored || (stored.configuration?.voters.length === 0 && stored.entries.length === 0);
    if (isBlank && !host.group(groupId)) return;
    const retired = host.retire(groupId, stored?.hardState);
    if (retired) this.#retired.set(groupId, { ...blank, ...retired });
  }

  /** The group's replica is back, and remembers by itself. */
  revive(groupId: number): void {
    this.#retired.delete(groupId);
  }

  /** The group is gone for good, without having had a replica running here. */
  remove(groupId: number): void {
    const { host, storedGroup } = this.#options;
    if (this.#retired.delete(groupId) || storedGroup(groupId)) host.remove(groupId);
  }
}

/** What is known of a group whose replica has left, besides the term in which it may come back. */
const blank: Omit<StoredGroup, "hardState" | "rejoinTerm"> = {
  floor: { index: 0, term: 0 },
  floorNextOffset: 0,
  configuration: votersOnly([]),
  entries: [],
};
