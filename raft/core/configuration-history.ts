import { strict as assert } from "node:assert";
import { type Configuration, decodeConfiguration, isSameConfiguration } from "./configuration.ts";
import type { EntryKind } from "./entry.ts";

/** Where a replica that restarts finds the configuration in effect. */
export type ConfigurationProof = "floor" | "repeated" | "single";

interface Change {
  readonly index: number;
  readonly configuration: Configuration;
}

/**
 * A group's configurations above its floor. One takes effect when its entry is committed.
 *
 * A leader proposes a configuration only once the one before is committed, and says so to whom it sends it: so of
 * the configurations in a log only the last can be uncommitted, even where a restart forgot the commit index. That
 * keeps any two configurations in effect at one time next to each other, and thus their majorities overlapping.
 */
export class ConfigurationHistory {
  #floor: Configuration;
  #changes: Change[] = [];
  #current: Change;

  constructor(floor: Configuration) {
    this.#floor = floor;
    this.#current = { index: 0, configuration: floor };
  }

  /** The one in effect. */
  get current(): Configuration {
    return this.#current.configuration;
  }

  /** Whether the log says who belongs to the group: committed or not, a leader of it has put it there. */
  get isKnown(): boolean {
    return this.#changes.length > 0 || this.#floor.voters.length > 0;
  }

  /** Index of the entry that brought the configuration in effect, 0 where it came with the floor. */
  get currentIndex(): number {
    return this.#current.index;
  }

  /**
   * What the log tells a replica that restarts of the configuration in effect, for how far it is committed is not durable.
   * floor: it stands there · repeated: a second entry says the same · single: only the one before is certain.
   */
  get proof(): ConfigurationProof {
    const { index, configuration } = this.#current;
    if (index === 0) return "floor";
    return isSameConfiguration(configuration, this.at(index - 1)) ? "repeated" : "single";
  }

  /** Index of the last configuration entry in the log, 0 for none. */
  get lastIndex(): number {
    return this.#changes.at(-1)?.index ?? 0;
  }

  /** The commit index that the log itself proves: its last configuration but one. */
  get provenCommitIndex(): number {
    return this.#changes.at(-2)?.index ?? 0;
  }

  /** Sees every entry that is put into the log. */
  note(entry: { readonly index: number; readonly kind: EntryKind; readonly payload?: Uint8Array }): void {
    if (entry.kind !== "configuration") return;
    assert(entry.payload);
    this.#changes.push({ index: entry.index, configuration: decodeConfiguration(entry.payload) });
  }

  /** Whether committing up to `index` brings another configuration. */
  changesThrough(index: number): boolean {
    return (this.#latestThrough(index)?.index ?? 0) !== this.#current.index;
  }

  commitTo(index: number): void {
    this.#current = this.#latestThrough(index) ?? this.#current;
  }

  /** The configuration as of a committed entry at or above the floor. */
  at(index: number): Configuration {
    return this.#latestThrough(index)?.configuration ?? this.#floor;
  }

  truncateFrom(index: number): void {
    while ((this.#changes.at(-1)?.index ?? -1) >= index) this.#changes.pop();
  }

  releaseThrough(index: number): void {
    if (this.#changes.length === 0) return;
    this.#floor = this.at(index);
    this.#changes = this.#changes.filter((change) => change.index > index);
    if (this.#current.index <= index)
      this.#current = { index: 0, configuration: this.#current.configuration };
  }

  /** The log begins anew at a point with this configuration. */
  restart(configuration: Configuration): void {
    this.#floor = configuration;
    this.#changes = [];
    this.#current = { index: 0, configuration };
  }

  #latestThrough(index: number): Change | undefined {
    for (let i = this.#changes.length - 1; i >= 0; i--) {
      const change = this.#changes[i];
      if (change && change.index <= index) return change;
    }
    return undefined;
  }
}
