import { describe, expect, test } from "vitest";
import { LeaderDirectory } from "#src/cluster/leaders/leader-directory.ts";

describe("the directory of leaders", () => {
  test("keeps the leader of the highest term that it heard of", () => {
    const leaders = new LeaderDirectory();
    leaders.learn(7, { nodeId: 1, term: 3 });
    leaders.learn(7, { nodeId: 2, term: 5 });
    leaders.learn(7, { nodeId: 1, term: 4 });
    expect(leaders.leaderOf(7)).toEqual({ nodeId: 2, term: 5 });
    expect(leaders.leaderOf(8)).toBeUndefined();
  });

  test("forgets a leader that has stepped down, and not the one after it", () => {
    const leaders = new LeaderDirectory();
    leaders.learn(7, { nodeId: 1, term: 3 });
    leaders.unlearn(7, { nodeId: 1, term: 2 });
    expect(leaders.leaderOf(7)).toEqual({ nodeId: 1, term: 3 });
    leaders.unlearn(7, { nodeId: 1, term: 3 });
    expect(leaders.leaderOf(7)).toBeUndefined();
  });

  test("names nobody who is gone, and what it led again when it is back", () => {
    const leaders = new LeaderDirectory();
    leaders.learn(7, { nodeId: 1, term: 3 });
    leaders.learn(8, { nodeId: 2, term: 4 });
    leaders.setGone(1, true);
    expect(leaders.leaderOf(7)).toBeUndefined();
    expect(leaders.leaderOf(8)).toEqual({ nodeId: 2, term: 4 });
    leaders.setGone(1, false);
    expect(leaders.leaderOf(7)).toEqual({ nodeId: 1, term: 3 });

    leaders.setGone(1, true);
    leaders.learn(7, { nodeId: 2, term: 5 });
    expect(leaders.leaderOf(7)).toEqual({ nodeId: 2, term: 5 });
  });

  test("wakes who waits once all groups are led, or when the time is up", async () => {
    const leaders = new LeaderDirectory();
    const timers: (() => void)[] = [];
    const clock = {
      schedule: (_: number, callback: () => void) => {
        timers.push(callback);
        return () => undefined;
      },
    };
    let isDone = false;
    const led = leaders.whenLed([1, 2], clock, 100).then(() => {
      isDone = true;
    });
    leaders.learn(1, { nodeId: 1, term: 1 });
    await Promise.resolve();
    expect(isDone).toBe(false);
    leaders.learn(2, { nodeId: 3, term: 1 });
    await led;

    const never = leaders.whenLed([3], clock, 100);
    timers.at(-1)?.();
    await expect(never).resolves.toBeUndefined();
  });
});
