import type { CancelTimer, Clock } from "../runtime/clock.ts";

interface Waiting {
  readonly resolve: (hasEntered: boolean) => void;
  readonly cancelTimer: CancelTimer;
}

/** Told of the times when requests wait for so long that an operator should know. */
export interface GateListener {
  /** Requests wait, and have for some time. */
  held(waitingCount: number): void;
  /** None waits any more. */
  resumed(heldMs: number): void;
}

/** A stretch of time in which there is always somebody waiting. */
interface Hold {
  readonly sinceMs: number;
  readonly cancelTimer: CancelTimer;
  isTold: boolean;
}

/** Shorter waits are the gate at work, and nothing to tell. */
const heldMsMin = 1_000;
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
  readonly #listener: GateListener;
  readonly #waiting: Waiting[] = [];
  #hold: Hold | undefined;
  #blockedReason: string | undefined;
  #isLettingIn = false;
  #delayedCount = 0;
  #refusedCount = 0;

  constructor(clock: Clock, hasRoom: () => boolean, listener: GateListener) {
    this.#clock = clock;
    this.#hasRoom = hasRoom;
    this.#listener = listener;
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
    const isFree = this.#waiting.length === 0 && !this.#isLettingIn;
    if (!this.isBlocked && isFree && this.#hasRoom()) return true;
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
          this.#noteWaiting();
          resolve(false);
        }),
      };
      this.#waiting.push(waiting);
      this.#noteWaiting();
    });
  }

  /** Nothing is in the way any more. */
  open(): void {
    this.#blockedReason = undefined;
    this.reconsider();
  }

  /** Room was made: lets in who waits, one by one, as each may fill it again. */
  reconsider(): void {
    if (this.isBlocked || this.#isLettingIn || this.#waiting.length === 0 || !this.#hasRoom()) return;
    this.#isLettingIn = true;
    this.#settleFirst(true);
    // What it brings counts only once it has run.
    this.#clock.soon(() => {
      this.#isLettingIn = false;
      this.reconsider();
    });
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
    this.#noteWaiting();
    first?.resolve(hasEntered);
  }

  /** Begins a hold with the first that waits and ends it with the last. */
  #noteWaiting(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#waiting.length === 0) {
      this.#hold?.cancelTimer();
      if (this.#hold?.isTold) this.#listener.resumed(nowMs - this.#hold.sinceMs);
      this.#hold = undefined;
    } else if (!this.#hold) {
      const hold: Hold = {
        sinceMs: nowMs,
        isTold: false,
        cancelTimer: this.#clock.schedule(heldMsMin, () => {
          hold.isTold = true;
          this.#listener.held(this.#waiting.length);
        }),
      };
      this.#hold = hold;
    }
  }
}
