import type { CancelTimer, Clock } from "./clock.ts";

/** A timer that fires later than this says that the process stood still, not that it was busy. */
const lateMsMax = 1_000;
/** The most that a timer is put off after a standstill: enough to connect anew and send a heartbeat. */
const graceMsMax = 3_000;

/**
 * A clock for time limits on other people: what they sent while this process stood still is heard before they
 * are judged.
 *
 * After a standstill (a long collection, a suspended machine) Node runs the timers that came due before it reads
 * any socket, so that heartbeats which arrived in time would be found too late, all of them at once. Here a timer
 * that is due waits until what is ready has run; one that fires much too late is put off once by as long as the
 * standstill, within bounds, as clients that lost their connection meanwhile need a few round trips.
 */
export function patientClock(clock: Clock): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    soon: (callback) => clock.soon(callback),
    schedule: (delayMs, callback) => schedulePatiently(clock, delayMs, callback),
  };
}

function schedulePatiently(clock: Clock, delayMs: number, callback: () => void): CancelTimer {
  let isCancelled = false;
  const dueMs = clock.monotonicMs() + Math.max(0, delayMs);
  const afterWhatIsReady = (work: () => void): void => {
    clock.soon(() => {
      if (!isCancelled) work();
    });
  };
  let cancelTimer = clock.schedule(delayMs, () => {
    const lateMs = clock.monotonicMs() - dueMs;
    if (lateMs <= lateMsMax) {
      afterWhatIsReady(callback);
      return;
    }
    // Once only: a process that is always late must not keep the dead alive.
    cancelTimer = clock.schedule(Math.min(lateMs, graceMsMax), () => afterWhatIsReady(callback));
  });
  return () => {
    isCancelled = true;
    cancelTimer();
  };
}
