import type { Clock } from "../../runtime/clock.ts";
import type { NodeCalls } from "../network/node-calls.ts";

export interface FullDisksOptions {
  readonly nodeId: number;
  /** Undefined on a node that is alone. */
  readonly calls: NodeCalls | undefined;
  /** Whether this node takes no records now. */
  readonly isFull: () => boolean;
  /** The nodes that can be talked to now. */
  readonly peers: () => Iterable<number>;
  readonly clock: Pick<Clock, "monotonicMs">;
}

const newsName = "disk-full";
/** How often `tell` is to be called. */
export const tellFullMs = 500;
/** Who has said nothing more for as long has room again, or is gone. */
const lastsMs = 4 * tellFullMs;
const noBytes = new Uint8Array(0);

/**
 * Whose disks are full, as far as this node knows. A node says so for as long as it is: nothing has to be taken back, nor
 * to be kept over a restart.
 */
export class FullDisks {
  readonly #options: FullDisksOptions;
  readonly #heardMs = new Map<number, number>();

  constructor(options: FullDisksOptions) {
    this.#options = options;
    options.calls?.hear(newsName, (from) => {
      this.#heardMs.set(from, options.clock.monotonicMs());
    });
  }

  /** Whether a node takes no records now. */
  has(nodeId: number): boolean {
    const { nodeId: own, isFull, clock } = this.#options;
    if (nodeId === own) return isFull();
    return clock.monotonicMs() - (this.#heardMs.get(nodeId) ?? -Infinity) < lastsMs;
  }

  /** Tells the others where this node's disk is full. */
  tell(): void {
    const { calls, isFull, peers } = this.#options;
    if (!calls || !isFull()) return;
    for (const peer of peers()) calls.tell(peer, newsName, noBytes);
  }
}
