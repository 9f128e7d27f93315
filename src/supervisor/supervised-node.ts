import type { ChildProcess, ProcessEnd, StartChild } from "../runtime/child-process.ts";
import type { CancelTimer, Clock } from "../runtime/clock.ts";
import type { NodePlan } from "./node-plan.ts";

/** What becomes known of a node. */
export interface NodeWatcher {
  serves(pid: number): void;
  /** It is gone; it starts again after so long, and never where that is undefined. */
  ended(end: ProcessEnd, restartMs: number | undefined): void;
  line(text: string): void;
}

export interface SupervisedNodeOptions {
  readonly node: NodePlan;
  readonly args: readonly string[];
  readonly startChild: StartChild;
  readonly clock: Clock;
  readonly watcher: NodeWatcher;
}

/** The message by which a broker tells who started it that it serves. */
export const servingMessage = "millrace:serving";

/** Waits between restarts: they double until the node has served for a while. */
const restartMs = { first: 500, most: 30_000, forgottenAfter: 60_000 } as const;

/** One broker process that is started again whenever it ends, once it has served; until then its end is final. */
export class SupervisedNode {
  readonly #options: SupervisedNodeOptions;
  #child: ChildProcess | undefined;
  #hasServed = false;
  /** Of the present life; undefined until it serves. */
  #servesSinceMs: number | undefined;
  #nextRestartMs: number = restartMs.first;
  #cancelRestart: CancelTimer | undefined;
  #isStopping = false;
  readonly #over = Promise.withResolvers<void>();

  constructor(options: SupervisedNodeOptions) {
    this.#options = options;
  }

  /** Resolves when the process is gone and none will come after it. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  get isServing(): boolean {
    return this.#servesSinceMs !== undefined;
  }

  start(): void {
    const { node, args, startChild, watcher, clock } = this.#options;
    this.#child = startChild([...args, ...node.flags], {
      line: (text) => watcher.line(text),
      message: (value) => {
        if (value !== servingMessage) return;
        this.#hasServed = true;
        this.#servesSinceMs = clock.monotonicMs();
        watcher.serves(this.#child?.pid ?? 0);
      },
      ended: (end) => this.#ended(end),
    });
  }

  /** Asks the process to end, and lets none come after it; asked again, the process ends at once. */
  stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): void {
    this.#isStopping = true;
    this.#cancelRestart?.();
    if (this.#child) this.#child.signal(signal);
    else this.#over.resolve();
  }

  #ended(end: ProcessEnd): void {
    const { clock, watcher } = this.#options;
    const servedMs = this.#servesSinceMs === undefined ? 0 : clock.monotonicMs() - this.#servesSinceMs;
    this.#child = undefined;
    this.#servesSinceMs = undefined;
    if (this.#isStopping || !this.#hasServed) {
      this.#over.resolve();
      watcher.ended(end, undefined);
      return;
    }
    if (servedMs >= restartMs.forgottenAfter) this.#nextRestartMs = restartMs.first;
    const delayMs = this.#nextRestartMs;
    this.#nextRestartMs = Math.min(2 * delayMs, restartMs.most);
    this.#cancelRestart = clock.schedule(delayMs, () => this.start());
    watcher.ended(end, delayMs);
  }
}
