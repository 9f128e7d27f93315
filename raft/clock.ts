/** Time as host and transport see it: durations only. The broker's clock has this shape. */
export interface RaftClock {
  /** Time in ms that never goes back. */
  monotonicMs(): number;
  /** Runs the callback after the delay; the answer cancels it. */
  schedule(delayMs: number, callback: () => void): () => void;
}
