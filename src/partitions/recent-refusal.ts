import type { ProducerSequence, ProducerTable, SequenceVerdict } from "./producer-table.ts";

/** A batch that comes later than this was sent by somebody who has heard what became of the one before. */
const underWayMsMax = 1_000;

/** Whether a partition refused a batch a moment ago for what may pass, which says why the next one does not fit. */
export class RecentRefusal {
  readonly #producers: Pick<ProducerTable, "has">;
  readonly #clock: { readonly monotonicMs: () => number } | undefined;
  /** In monotonic time. */
  #refusedMs: number | undefined;

  /** Without a clock, none is remembered. */
  constructor(
    producers: Pick<ProducerTable, "has">,
    clock: { readonly monotonicMs: () => number } | undefined,
  ) {
    this.#producers = producers;
    this.#clock = clock;
  }

  /** A batch was refused. */
  note(): void {
    this.#refusedMs = this.#clock?.monotonicMs();
  }

  /**
   * Whether a gap may be of this node's own making: it refused what comes first a moment ago, and what came behind it on
   * the same connection finds it ready. Then the client, which has heard that by now, sends both again. Told of a gap,
   * librdkafka would begin a new epoch, and send once more what nobody can tell from new records; taken from a producer
   * that is not known, the batch would shut out those before it.
   */
  mayExplain(verdict: SequenceVerdict, { producerId, baseSequence }: ProducerSequence): boolean {
    if (this.#refusedMs === undefined || !this.#clock) return false;
    if (this.#clock.monotonicMs() - this.#refusedMs >= underWayMsMax) return false;
    if (verdict.kind === "outOfOrder") return verdict.expectedSequence < baseSequence;
    return verdict.kind === "next" && baseSequence > 0 && !this.#producers.has(producerId);
  }
}
