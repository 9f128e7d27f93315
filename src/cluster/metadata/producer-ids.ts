import type { Clock } from "../../runtime/clock.ts";
import { timedOut, within } from "../../runtime/time-limit.ts";
import type { MetadataStore } from "./metadata-store.ts";

/** Ids taken from the cluster at a time (KIP-730). */
const blockSize = 1_000;

/** Hands out producer ids that no node ever handed out before: blocks are allocated durably first. */
export class ProducerIds {
  readonly #metadata: MetadataStore;
  readonly #nodeId: number;
  readonly #clock: Clock;
  #next = 0;
  #end = 0;
  #allocating: Promise<boolean> | undefined;

  constructor(metadata: MetadataStore, { nodeId, clock }: { nodeId: number; clock: Clock }) {
    this.#metadata = metadata;
    this.#nodeId = nodeId;
    this.#clock = clock;
  }

  /** A fresh id; undefined where the next block of them is not there in time. */
  async next(limitMs: number): Promise<number | undefined> {
    const deadlineMs = this.#clock.monotonicMs() + limitMs;
    while (this.#next === this.#end) {
      this.#allocating ??= this.#allocate().finally(() => {
        this.#allocating = undefined;
      });
      const isThere = await within(this.#clock, deadlineMs - this.#clock.monotonicMs(), this.#allocating);
      if (isThere === timedOut || !isThere) return undefined;
    }
    const id = this.#next;
    this.#next += 1;
    return id;
  }

  /** Whether there is a new block. */
  async #allocate(): Promise<boolean> {
    const result = await this.#metadata.propose({
      kind: "allocateProducerIds",
      nodeId: this.#nodeId,
      count: blockSize,
    });
    if (result.kind !== "producerIds") return false;
    this.#next = result.first;
    this.#end = result.first + result.count;
    return true;
  }
}
