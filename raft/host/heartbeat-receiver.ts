import type { HeartbeatEntry, HeartbeatSet } from "../transport/heartbeat-set.ts";

/** The set of heartbeats that a peer tells this node, put together from its rounds. */
export class HeartbeatReceiver {
  #version = 0;
  readonly #entries = new Map<number, HeartbeatEntry>();

  /** The version that this node has, 0 for none. */
  get version(): number {
    return this.#version;
  }

  /** Every group in the set. */
  entries(): Iterable<HeartbeatEntry> {
    return this.#entries.values();
  }

  /**
   * Takes a round; false where this node lacks what it is based on. A round that is based on less than this node has
   * tells all that it lacks and more.
   */
  take({ version, baseVersion, changed, removed }: HeartbeatSet): boolean {
    if (baseVersion === 0) this.#entries.clear();
    else if (baseVersion > this.#version || version < this.#version) return false;
    for (const group of removed) this.#entries.delete(group);
    for (const entry of changed) this.#entries.set(entry.group, entry);
    this.#version = version;
    return true;
  }
}
