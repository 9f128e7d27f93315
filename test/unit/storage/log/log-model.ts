import { expect } from "vitest";
import type { Log } from "#storage/log/log.ts";
import { type FakeBatch, fakeBatch } from "./fake-batch.ts";
import { bytesOf } from "./log-fixture.ts";

/** What the journal and the clients remember of a log: all that was committed, and what was promised of it. */
export class LogModel {
  readonly committed: FakeBatch[] = [];
  readonly #make: typeof fakeBatch;
  flushedOffset = 0;
  startOffset = 0;
  /** The log may start here already: a trim or retention was under way. */
  startOffsetMax = 0;

  constructor(make = fakeBatch) {
    this.#make = make;
  }

  get nextOffset(): number {
    return this.committed.at(-1)?.header.nextOffset ?? 0;
  }

  appendTo(log: Log, count: number): void {
    for (let i = 0; i < count; i++) {
      const leaderEpoch = Math.floor(this.committed.length / 9);
      const fillerBytes = (this.committed.length * 379) % 1900;
      const batch = this.#make({ baseOffset: this.nextOffset, fillerBytes, leaderEpoch });
      this.committed.push(batch);
      log.append(batch.bytes, batch.header);
    }
  }

  /** What the owner does after a restart: the journal still has what the segments do not. */
  replayInto(log: Log): void {
    for (const { bytes, header } of this.committed)
      if (header.baseOffset >= log.nextOffset) log.append(bytes, header);
  }

  from(startOffset: number, endOffset = this.nextOffset): Buffer {
    return bytesOf(
      this.committed.filter(
        ({ header }) => header.nextOffset > startOffset && header.nextOffset <= endOffset,
      ),
    );
  }
}

export function expectEpochs(model: LogModel, log: Log): void {
  for (const { header } of model.committed) {
    if (header.baseOffset < log.startOffset) continue;
    expect(log.epochAt(header.baseOffset)).toBe(header.leaderEpoch);
  }
}

/** Numbers from 0 to below 1, the same ones for a seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
