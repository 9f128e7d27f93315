import { expect, test } from "vitest";
import type { CancelTimer, Clock } from "#src/runtime/clock.ts";
import { patientClock } from "#src/runtime/patient-clock.ts";
import { FakeClock } from "./fake-clock.ts";

/** A clock whose process can stand still: time passes, and timers fire afterwards, in order, before anything else. */
class StandstillClock implements Clock {
  #nowMs = 0;
  #timers: { dueMs: number; callback: () => void }[] = [];
  #soon: (() => void)[] = [];

  nowMs = () => this.#nowMs;
  monotonicMs = () => this.#nowMs;

  schedule(delayMs: number, callback: () => void) {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  soon(callback: () => void) {
    this.#soon.push(callback);
  }

  /** One turn of an event loop after `delayMs`: due timers, then what sockets brought, then what was put off. */
  turn(delayMs: number, sockets: () => void = () => undefined) {
    this.#nowMs += delayMs;
    const due = this.#timers.filter(({ dueMs }) => dueMs <= this.#nowMs);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { callback } of due) callback();
    sockets();
    for (const callback of this.#soon.splice(0)) callback();
  }
}

/** A session as the group coordinator keeps it: each heartbeat cancels the timer and begins a new one. */
function session(clock: Clock, timeoutMs: number) {
  let isExpired = false;
  let cancel: CancelTimer = () => undefined;
  function heartbeat(): void {
    cancel();
    if (!isExpired) {
      cancel = clock.schedule(timeoutMs, () => {
        isExpired = true;
      });
    }
  }
  heartbeat();
  return { heartbeat, isExpired: () => isExpired };
}

test("a heartbeat that waited in the socket during a standstill keeps its session", () => {
  const clock = new StandstillClock();
  const member = session(patientClock(clock), 6_000);
  clock.turn(8_000, member.heartbeat);
  clock.turn(5_999);
  expect(member.isExpired()).toBe(false);
});

test("the bare clock would have ended that session: the standstill is real", () => {
  const clock = new StandstillClock();
  const member = session(clock, 6_000);
  clock.turn(8_000, member.heartbeat);
  expect(member.isExpired()).toBe(true);
});

test("a timer that is due to the millisecond still lets the sockets go first", () => {
  const clock = new StandstillClock();
  const member = session(patientClock(clock), 6_000);
  clock.turn(6_000, member.heartbeat);
  expect(member.isExpired()).toBe(false);
});

test("a client that must connect anew after a standstill has time for it", () => {
  const clock = new StandstillClock();
  const member = session(patientClock(clock), 6_000);
  clock.turn(8_000);
  clock.turn(500);
  clock.turn(500, member.heartbeat);
  clock.turn(5_000);
  expect(member.isExpired()).toBe(false);
});

test("a member that stays silent after a standstill expires, at most three seconds later", () => {
  const clock = new StandstillClock();
  const member = session(patientClock(clock), 6_000);
  clock.turn(60_000);
  expect(member.isExpired()).toBe(false);
  clock.turn(2_999);
  expect(member.isExpired()).toBe(false);
  clock.turn(1);
  expect(member.isExpired()).toBe(true);
});

test("a process that is always late expires the silent all the same", () => {
  const clock = new StandstillClock();
  const member = session(patientClock(clock), 6_000);
  clock.turn(8_000);
  clock.turn(8_000);
  expect(member.isExpired()).toBe(true);
});

test("without a standstill a timer fires at its time", async () => {
  const clock = new FakeClock();
  const fired: number[] = [];
  patientClock(clock).schedule(1_500, () => fired.push(clock.monotonicMs()));
  await clock.advance(1_499);
  expect(fired).toEqual([]);
  await clock.advance(1);
  expect(fired).toEqual([1_500]);
});

test("a cancelled timer stays silent at every stage", () => {
  const clock = new StandstillClock();
  const patient = patientClock(clock);
  let firedCount = 0;
  const schedule = () => patient.schedule(1_000, () => (firedCount += 1));
  schedule()();
  const whileReady = schedule();
  const afterStandstill = schedule();
  clock.turn(1_000, whileReady);
  clock.turn(0);
  expect(firedCount).toBe(1);
  afterStandstill();

  const duringGrace = schedule();
  clock.turn(5_000);
  duringGrace();
  clock.turn(10_000);
  expect(firedCount).toBe(1);
});
