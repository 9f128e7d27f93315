import { countOf, formatBytes, formatCount, formatDuration } from "./quantities.ts";
import type { World } from "./world.ts";

/** How far some work is. */
export interface Work {
  /** Records, batches, frames, in the plural that `noun` gets. */
  readonly count: number;
  readonly sizeBytes: number;
  /** Share that is done, 0 to 1; undefined where the whole is unknown. */
  readonly share?: number | undefined;
}

const redrawMsMin = 100;

/** Work that ends sooner shows no progress. */
const quietMs = 500;

/** One line on the terminal, drawn over itself while work goes on; nothing where nobody watches. */
export class Progress implements Disposable {
  readonly #world: World;
  readonly #noun: string;
  readonly #startMs: number;
  #drawnMs: number;
  #isDrawn = false;

  constructor(world: World, noun: string) {
    this.#world = world;
    this.#noun = noun;
    this.#startMs = world.clock.monotonicMs();
    this.#drawnMs = this.#startMs + quietMs - redrawMsMin;
  }

  get elapsedMs(): number {
    return this.#world.clock.monotonicMs() - this.#startMs;
  }

  /** May be called for each record: draws seldom. */
  show(work: () => Work): void {
    const { terminal, clock } = this.#world;
    if (!terminal.isWatched) return;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#drawnMs < redrawMsMin) return;
    this.#drawnMs = nowMs;
    this.#isDrawn = true;
    const line = progressLine(work(), { noun: this.#noun, elapsedMs: nowMs - this.#startMs });
    terminal.writeError(`\r\u001b[K${line.slice(0, terminal.columns - 1)}`);
  }

  /** Removes the line: what comes next stands in its place. */
  clear(): void {
    if (this.#isDrawn) this.#world.terminal.writeError("\r\u001b[K");
    this.#isDrawn = false;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}

/** `12,345 records, 1.2 MiB, 3,456/s, 45 %, 12 s left`. */
export function progressLine(
  { count, sizeBytes, share }: Work,
  { noun, elapsedMs }: { noun: string; elapsedMs: number },
): string {
  const rate = elapsedMs > 0 ? (count * 1000) / elapsedMs : 0;
  const parts = [countOf(count, noun), formatBytes(sizeBytes), `${formatCount(rate)}/s`];
  if (share !== undefined && share > 0) {
    parts.push(`${Math.floor(share * 100)} %`);
    parts.push(`${formatDuration((elapsedMs * (1 - share)) / share)} left`);
  }
  return parts.join(", ");
}
