import type { CancelTimer, Clock } from "../runtime/clock.ts";

interface Waiting {
  readonly resolve: (hasEntered: boolean) => void;
  readonly cancelTimer: CancelTimer;
}

/** Requests that may wait at a closed gate; more are turned away at once. */
const waitingMax = 10_000;

/**
 * Lets produce requests in while there is room for what they bring.
 *
 * Closed for a while (segments lag behind the journal) it lets requests wait, in their order; blocked (the
 * disk is full) it turns them away.
 */
export class ProduceGate {
  readonly #clock: Clock;
  readonly #hasRoom: () => boolean;
  readonly #waiting: Waiting[] = [];
  #blockedReason: string | undefined;
  #delayedCount = 0;
  #refusedCount = 0;

  constructor(clock: Clock, hasRoom: () => boolean) {
    this.#clock = clock;
    this.#hasRoom = hasRoom;
  }

  /** What to tell a producer that was turned away. */
  get reason(): string {
    return this.#blockedReason ?? "The disk does not keep up: try again later";
  }

  get isBlocked(): boolean {
    return this.#blockedReason !== undefined;
  }

  /** Whether a request that came now would wait. */
  get isClosed(): boolean {
    return this.#waiting.length > 0 || !this.#hasRoom();
  }

  /** Requests that wait now, that ever had to, and that were turned away. */
  get counts(): { readonly waiting: number; readonly delayed: number; readonly refused: number } {
    return { waiting: this.#waiting.length, delayed: this.#delayedCount, refused: this.#refusedCount };
  }

  /** True at once where there is room; else a promise of whether there was within the time. */
  enter(timeoutMs: number): boolean | Promise<boolean> {
    if (!this.isBlocked && this.#waiting.length === 0 && this.#hasRoom()) return true;
    if (this.isBlocked || this.#waiting.length >= waitingMax) {
      this.#refusedCount += 1;
      return false;
    }
    this.#delayedCount += 1;
    return new Promise((resolve) => {
      const waiting: Waiting = {
        resolve,
        cancelTimer: this.#clock.schedule(Math.max(0, timeoutMs), () => {
          const at = this.#waiting.indexOf(waiting);
          if (at >= 0) this.#waiting.splice(at, 1);
          this.#refusedCount += 1;
          resolve(false);
        }),
      };
      this.#waiting.push(waiting);
    });
  }

  /** Nothing is in the way any more. */
  open(): void {
    this.#blockedReason = undefined;
    this.reconsider();
  }

  /** Room was made: lets in who waits, one by one, as each may fill it again. */
  reconsider(): void {
    if (this.isBlocked) return;
    while (this.#waiting.length > 0 && this.#hasRoom()) this.#settleFirst(true);
  }

  /** Turns all away until `open`. */
  block(reason: string): void {
    this.#blockedReason = reason;
    while (this.#waiting.length > 0) this.#settleFirst(false);
  }

  #settleFirst(hasEntered: boolean): void {
    const first = this.#waiting.shift();
    if (!hasEntered) this.#refusedCount += 1;
    first?.cancelTimer();
    first?.resolve(hasEntered);
  }
}
