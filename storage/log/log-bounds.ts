import assert from "node:assert/strict";
import type { BatchHeader } from "./batch-format.ts";
import { EpochIndex, type EpochStart } from "./epoch-index.ts";
import { OffsetOutOfRangeError } from "./log-error.ts";
import type { CheckpointedFacts } from "./segments.ts";

/** Where a log begins and ends, where its leader epochs begin, and how far compaction came. */
export class LogBounds {
  #startOffset: number;
  #nextOffset: number;
  #cleanedOffset: number;
  #epochs: EpochIndex;

  constructor(recovered: {
    readonly startOffset: number;
    readonly nextOffset: number;
    readonly cleanedOffset: number;
    readonly epochs: EpochIndex;
  }) {
    this.#startOffset = recovered.startOffset;
    this.#nextOffset = recovered.nextOffset;
    this.#cleanedOffset = recovered.cleanedOffset;
    this.#epochs = recovered.epochs;
  }

  get startOffset(): number {
    return this.#startOffset;
  }

  /** One past the last record that was appended. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Compaction came up to here. */
  get cleanedOffset(): number {
    return this.#cleanedOffset;
  }

  get epochs(): Omit<EpochIndex, "note" | "trimTo"> {
    return this.#epochs;
  }

  /** @throws OffsetOutOfRangeError for what is neither in the log nor its end. */
  check(offset: number): void {
    if (offset >= this.#startOffset && offset <= this.#nextOffset) return;
    throw new OffsetOutOfRangeError(offset, { startOffset: this.#startOffset, nextOffset: this.#nextOffset });
  }

  /** What a checkpoint says of them now. */
  facts(): CheckpointedFacts {
    return {
      startOffset: this.#startOffset,
      epochs: this.#epochs.entries(),
      cleanedOffset: this.#cleanedOffset,
    };
  }

  /** What a checkpoint is to say before `trimTo`. */
  factsFrom(startOffset: number): CheckpointedFacts {
    const trimmed = new EpochIndex(this.#epochs.entries());
    trimmed.trimTo(startOffset);
    return { startOffset, epochs: trimmed.entries(), cleanedOffset: this.#cleanedOffset };
  }

  /** A batch has come to the end. */
  append(header: BatchHeader): void {
    this.#epochs.note(header);
    this.#nextOffset = header.nextOffset;
  }

  /** Moves the start. */
  trimTo(startOffset: number): void {
    this.#startOffset = startOffset;
    this.#epochs.trimTo(startOffset);
  }

  /** Begins anew, empty, behind the end. */
  restartAt(startOffset: number, epochs: readonly EpochStart[]): void {
    assert(startOffset >= this.#nextOffset);
    this.#startOffset = startOffset;
    this.#nextOffset = startOffset;
    this.#epochs = new EpochIndex(epochs);
  }

  /** Moves on how far compaction came. */
  cleanTo(cleanedOffset: number): void {
    assert(cleanedOffset >= this.#cleanedOffset);
    this.#cleanedOffset = cleanedOffset;
  }
}
