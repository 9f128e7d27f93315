import { describe, expect, test } from "vitest";
import { Progress, progressLine } from "#src/cli/progress.ts";
import { FakeWorld } from "./fake-world.ts";

describe("progress", () => {
  test("tells rate, and time left where the whole is known", () => {
    const work = { count: 12_345, sizeBytes: 1_258_291 };
    expect(progressLine(work, { noun: "record", elapsedMs: 5_000 })).toBe("12,345 records, 1.2 MiB, 2,469/s");
    expect(progressLine({ ...work, share: 0.25 }, { noun: "record", elapsedMs: 5_000 })).toBe(
      "12,345 records, 1.2 MiB, 2,469/s, 25 %, 15 s left",
    );
  });

  test("is drawn seldom, within one line, and removed at the end; never where nobody watches", () => {
    let nowMs = 0;
    const world = new FakeWorld();
    const clock = { ...world.clock, monotonicMs: () => nowMs };
    const watched = { ...world, clock, terminal: world.terminal, interruption: () => world.interruption() };
    world.terminal.isWatched = true;
    world.terminal.columns = 10;
    const progress = new Progress(watched, "record");
    for (; nowMs < 1_000; nowMs++) progress.show(() => ({ count: 1, sizeBytes: 1 }));
    const drawn = world.terminal.talk.split("\r").slice(1);
    expect(drawn).toHaveLength(5); // From half a second on, every tenth of one.
    for (const line of drawn) expect(line.replace("\u001b[K", "")).toHaveLength(9);
    progress.clear();
    expect(world.terminal.talk.endsWith("\r\u001b[K")).toBe(true);

    const unwatched = new FakeWorld();
    new Progress({ ...watched, terminal: unwatched.terminal }, "record").show(() => ({
      count: 1,
      sizeBytes: 1,
    }));
    expect(unwatched.terminal.talk).toBe("");
  });
});
