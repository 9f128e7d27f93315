import { attributesOf, type BatchHeader } from "#protocol/records/batch.ts";
import { readControlBatch } from "#protocol/records/control-batch.ts";

/** Which batches of one answer belong to aborted transactions (KIP-98). */
export class AbortedTransactions {
  readonly #coming: { readonly producerId: number; readonly firstOffset: number }[];
  readonly #open = new Set<number>();

  constructor(aborted: readonly { readonly producerId: number; readonly firstOffset: number }[]) {
    this.#coming = aborted.toSorted((left, right) => left.firstOffset - right.firstOffset);
  }

  /** To be asked once for each batch, in order. */
  hides(batch: Uint8Array, header: BatchHeader): boolean {
    const { isControl, isTransactional } = attributesOf(header);
    if (isControl) {
      const marker = readControlBatch(batch);
      if (marker?.kind === "transactionMarker") this.#open.delete(marker.producerId);
      return false;
    }
    for (let next = this.#coming[0]; next && next.firstOffset <= header.baseOffset; next = this.#coming[0]) {
      this.#open.add(next.producerId);
      this.#coming.shift();
    }
    return isTransactional && this.#open.has(header.producerId);
  }
}
