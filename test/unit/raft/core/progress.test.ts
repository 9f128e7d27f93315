import { expect, test } from "vitest";
import { Inflight } from "#raft/core/inflight.ts";
import { Progress } from "#raft/core/progress.ts";

const limits = { messagesMax: 3, bytesMax: 100 };

test("what is known to match never falls", () => {
  const progress = new Progress(6, limits);
  expect(progress.acknowledged(5)).toBe(true);
  expect(progress.acknowledged(3)).toBe(false);
  expect(progress.matchIndex).toBe(5);
});

test("a probe waits for its answer, a stream goes on", () => {
  const progress = new Progress(6, limits);
  progress.sent(5, 0);
  expect(progress.canSend).toBe(false);
  progress.acknowledged(5);
  progress.becomeReplicate();
  progress.sent(6, 10);
  progress.sent(7, 10);
  expect(progress.nextIndex).toBe(8);
  expect(progress.canSend).toBe(true);
  progress.sent(8, 10);
  expect(progress.canSend).toBe(false);
  progress.inflight.acknowledgedTo(7);
  expect(progress.canSend).toBe(true);
});

test("a refused stream is probed again from what is known to match", () => {
  const progress = new Progress(1, limits);
  progress.acknowledged(4);
  progress.becomeReplicate();
  progress.sent(9, 10);
  expect(progress.refused(4, 2)).toBe(false);
  expect(progress.refused(9, 2)).toBe(true);
  expect(progress).toMatchObject({ state: "probe", nextIndex: 5 });
});

test("a refused probe goes back to the hint, once", () => {
  const progress = new Progress(10, limits);
  progress.sent(9, 0);
  expect(progress.refused(7, 3)).toBe(false);
  expect(progress.refused(9, 3)).toBe(true);
  expect(progress).toMatchObject({ nextIndex: 4, isPaused: false });
  progress.sent(3, 0);
  expect(progress.refused(9, 3)).toBe(false);
});

test("bytes bound what is on its way, but one message may always go", () => {
  const inflight = new Inflight({ messagesMax: 10, bytesMax: 100 });
  inflight.add(1, 5_000);
  expect(inflight.isFull).toBe(true);
  expect(() => inflight.add(2, 1)).toThrow();
  inflight.acknowledgedTo(1);
  expect(inflight).toMatchObject({ isFull: false, count: 0, bytes: 0 });
});

test("acknowledged messages give their room back over many rounds", () => {
  const inflight = new Inflight({ messagesMax: 4, bytesMax: 1_000 });
  for (let index = 1; index < 100; index++) {
    inflight.add(index, 10);
    if (index > 2) inflight.acknowledgedTo(index - 2);
    expect(inflight.count).toBe(Math.min(index, 2));
    expect(inflight.bytes).toBe(10 * inflight.count);
  }
});
