import { strict as assert } from "node:assert";
import type { MetadataStore } from "./metadata-store.ts";

/** Ids taken from the cluster at a time (KIP-730). */
const blockSize = 1_000;

/** Hands out producer ids that no node ever handed out before: blocks are allocated durably first. */
export class ProducerIds {
  readonly #metadata: MetadataStore;
  readonly #nodeId: number;
  #next = 0;
  #end = 0;
  #allocating: Promise<void> | undefined;

  constructor(metadata: MetadataStore, nodeId: number) {
    this.#metadata = metadata;
    this.#nodeId = nodeId;
  }

  async next(): Promise<number> {
    while (this.#next === this.#end) {
      this.#allocating ??= this.#allocate().finally(() => {
        this.#allocating = undefined;
      });
      await this.#allocating;
    }
    const id = this.#next;
    this.#next += 1;
    return id;
  }

  async #allocate(): Promise<void> {
    const result = await this.#metadata.propose({
      kind: "allocateProducerIds",
      nodeId: this.#nodeId,
      count: blockSize,
    });
    assert(result.kind === "producerIds");
    this.#next = result.first;
    this.#end = result.first + result.count;
  }
}
