import type { SimulatedProcess } from "./process.ts";
import type { Trace } from "./trace.ts";
import type { Tripwires } from "./tripwires.ts";

/** Something that happens at a time of the simulation. */
interface Event {
  atUs: number;
  /** Equal times run in the order of scheduling. */
  sequence: number;
  /** Whose program it is a step of; undefined for the world's own. */
  readonly process: SimulatedProcess | undefined;
  readonly label: string;
  readonly run: () => void;
  isCancelled: boolean;
}

export interface EventPlace {
  readonly afterUs: number;
  readonly process: SimulatedProcess | undefined;
  /** What kind of event it is, for the trace. */
  readonly label: string;
}

export interface SchedulerOptions {
  readonly trace: Trace;
  readonly tripwires: Tripwires;
  /** A step threw, which in a real process would have ended it. */
  readonly onThrow: (error: unknown, label: string) => void;
}

/** Events that run before control goes back to the real event loop: each costs one turn of it. */
const burstEvents = 64;

/** What the scheduler itself needs of the real world, taken before any tripwire is set. */
const realImmediate = setImmediate;

/**
 * One virtual clock and everything that happens on it. An event runs, then all that it made ready (microtasks and
 * one turn of `setImmediate`), then the next event: no two interleave, and the order depends on the seed alone.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #heap: Event[] = [];
  readonly #deferred = new Map<SimulatedProcess, Event[]>();
  #nowUs = 0;
  #sequence = 0;
  #events = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Virtual µs since the start of the run. */
  get nowUs(): number {
    return this.#nowUs;
  }

  /** Events run so far. */
  get events(): number {
    return this.#events;
  }

  /** Labels of a process's events that are still to come. */
  pendingOf(process: SimulatedProcess): string[] {
    const pending = this.#heap.filter((event) => event.process === process && !event.isCancelled);
    return pending.map(({ label }) => label);
  }

  /** Runs `run` once its time has come, unless its process has died or the answer was called. */
  schedule({ afterUs, process, label }: EventPlace, run: () => void): () => void {
    const atUs = this.#nowUs + Math.max(0, Math.round(afterUs));
    const event: Event = { atUs, sequence: this.#sequence++, process, label, run, isCancelled: false };
    this.#push(event);
    return () => {
      event.isCancelled = true;
    };
  }

  /** Lets a paused process go on: what came due meanwhile happens now, timers first, as Node takes them. */
  resume(process: SimulatedProcess): void {
    if (!process.isPaused) return;
    process.wake();
    const waiting = this.#deferred.get(process) ?? [];
    this.#deferred.delete(process);
    const isTimer = ({ label }: Event) => label === "timer";
    for (const event of [...waiting.filter(isTimer), ...waiting.filter((other) => !isTimer(other))]) {
      // The event itself, and not one like it: whoever scheduled it can still cancel it.
      event.atUs = this.#nowUs;
      event.sequence = this.#sequence++;
      this.#push(event);
    }
  }

  /** Lets time pass until `isDone`, asked between events, or until nothing is left to happen; answers whether it was done. */
  async run(isDone: () => boolean): Promise<boolean> {
    let state: "going" | "done" | "empty" = "going";
    const step = () => {
      if (state !== "going") return;
      if (isDone()) state = "done";
      else if (!this.#step()) state = "empty";
    };
    while (state === "going") {
      // All of one turn: Node drains microtasks after each, and runs nothing of anybody else's in between.
      await new Promise<void>((resolve) => {
        realImmediate(() => this.#options.tripwires.arm());
        for (let count = 0; count < burstEvents; count++) realImmediate(step);
        realImmediate(() => {
          this.#options.tripwires.disarm();
          resolve();
        });
      });
    }
    return (state as string) === "done";
  }

  /** Runs the next event; false when there is none. */
  #step(): boolean {
    for (let event = this.#pop(); event; event = this.#pop()) {
      if (event.isCancelled || event.process?.isAlive === false) continue;
      this.#nowUs = Math.max(this.#nowUs, event.atUs);
      if (event.process?.isPaused) {
        const waiting = this.#deferred.get(event.process) ?? [];
        this.#deferred.set(event.process, waiting);
        waiting.push(event);
        continue;
      }
      this.#runEvent(event);
      return true;
    }
    return false;
  }

  #runEvent({ process, label, run }: Event): void {
    const { trace, onThrow } = this.#options;
    this.#events += 1;
    trace.number(this.#nowUs);
    trace.label(label);
    if (process) trace.label(process.name);
    try {
      run();
    } catch (error) {
      onThrow(error, label);
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (!above || !isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || first === last) return first;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const child = right && left && isBefore(right, left) ? right : left;
      if (!child || isBefore(last, child)) break;
      heap[at] = child;
      at = child === right ? 2 * at + 2 : 2 * at + 1;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.atUs < other.atUs || (one.atUs === other.atUs && one.sequence < other.sequence);
}
