import protobuf from "protobufjs";
import type { NodeCalls } from "../network/node-calls.ts";
import type { LeaderDirectory } from "./leader-directory.ts";

/** Groups that the sender leads, with the terms in which it does, in two columns. */
const newsType = protobuf
  .parse(`
syntax = "proto3";
message Leaderships { repeated uint32 groups = 1; repeated uint64 terms = 2; }
`)
  .root.lookupType("Leaderships");

const newsName = "leaders";

export interface LeaderNewsOptions {
  readonly nodeId: number;
  readonly calls: NodeCalls;
  readonly leaders: LeaderDirectory;
  /** The nodes that can be told something now. */
  readonly peers: () => readonly number[];
  readonly soon: (callback: () => void) => void;
}

/**
 * Tells the other nodes what this one leads, and learns the same of them (decision 14): what changed at once and to
 * everybody, everything to a node that one has just been connected with.
 */
export class LeaderNews {
  readonly #options: LeaderNewsOptions;
  /** Term by group. */
  readonly #led = new Map<number, number>();
  readonly #changed = new Set<number>();
  /** Nodes that could not be told something: they are told everything when they can be. */
  readonly #behind = new Set<number>();
  #isScheduled = false;

  constructor(options: LeaderNewsOptions) {
    this.#options = options;
    options.calls.hear(newsName, (from, payload) => this.#hear(from, payload));
  }

  /** This node leads a group, with everything that was committed before applied. */
  leads(groupId: number, term: number): void {
    const { leaders, nodeId } = this.#options;
    this.#led.set(groupId, term);
    leaders.learn(groupId, { nodeId, term });
    this.#changed.add(groupId);
    this.#schedule();
  }

  /** This node leads a group no more. */
  leadsNoMore(groupId: number): void {
    const term = this.#led.get(groupId);
    if (term === undefined) return;
    this.#led.delete(groupId);
    this.#changed.delete(groupId);
    this.#options.leaders.unlearn(groupId, { nodeId: this.#options.nodeId, term });
  }

  /** A connection with a node has come up, or takes frames again. */
  reachable(nodeId: number): void {
    this.#tell(nodeId, [...this.#led.keys()]);
  }

  /** The outbox of a node has drained. */
  drained(nodeId: number): void {
    if (this.#behind.has(nodeId)) this.reachable(nodeId);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.soon(() => {
      this.#isScheduled = false;
      const changed = [...this.#changed];
      this.#changed.clear();
      for (const nodeId of this.#options.peers()) this.#tell(nodeId, changed);
    });
  }

  #tell(nodeId: number, groups: readonly number[]): void {
    if (groups.length === 0) return;
    const terms = groups.map((groupId) => this.#led.get(groupId) ?? 0);
    const payload = newsType.encode(newsType.fromObject({ groups, terms })).finish();
    if (this.#options.calls.tell(nodeId, newsName, payload)) this.#behind.delete(nodeId);
    else this.#behind.add(nodeId);
  }

  #hear(from: number, payload: Uint8Array): void {
    const { groups, terms } = newsType.toObject(newsType.decode(payload), {
      longs: Number,
      arrays: true,
    }) as { groups: number[]; terms: number[] };
    for (const [at, groupId] of groups.entries()) {
      const term = terms[at];
      // 0: led no more by the time that the news were written.
      if (term) this.#options.leaders.learn(groupId, { nodeId: from, term });
    }
  }
}
