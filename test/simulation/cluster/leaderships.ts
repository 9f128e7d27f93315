import { nodeIdOf } from "#raft/core/replica-id.ts";
import { RaftGroup } from "#raft/host/raft-group.ts";
import { replaceMethod } from "../planted/replace-method.ts";

/** Somebody leads a group, in a term in which nobody did before. */
export interface Election {
  readonly groupId: number;
  readonly nodeId: number;
}

/** Tells of every election that is won, in all groups of all nodes, while it is not disposed. */
export class Leaderships implements Disposable {
  readonly #listeners = new Set<(election: Election) => void>();
  readonly #replaced: Disposable;

  constructor() {
    const listeners = this.#listeners;
    this.#replaced = replaceMethod(RaftGroup.prototype, "changeLeadership", (change) => {
      return function (this: RaftGroup, leadership) {
        change.call(this, leadership);
        if (leadership.role !== "leader") return;
        for (const listen of listeners) listen({ groupId: this.id, nodeId: nodeIdOf(this.raft.id) });
      };
    });
  }

  [Symbol.dispose](): void {
    this.#replaced[Symbol.dispose]();
  }

  /** Tells a listener until the answer is called. */
  listen(listener: (election: Election) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
