import { describe, expect, test } from "vitest";
import { Raft } from "#raft/core/raft.ts";
import { describeFinding, explore } from "./exploration/explore.ts";
import { loadWithBug, plantedBugs } from "./exploration/planted-bugs.ts";

/** A full run: MILLRACE_EXPLORE_SEQUENCES=1000000; MILLRACE_EXPLORE_FIRST_SEED moves it elsewhere. */
const sequenceCount = Number(process.env.MILLRACE_EXPLORE_SEQUENCES ?? 4_000);
const firstSeed = Number(process.env.MILLRACE_EXPLORE_FIRST_SEED ?? 1);
/** Bugs that may take more sequences to be found are left to full runs. */
const sequencesAffordable = process.env.MILLRACE_EXPLORE_SEQUENCES ? Infinity : 5_000;
const chunk = 1_000;

test("no sequence of steps, losses, crashes and changes breaks a promise of Raft", {
  timeout: 7_200_000,
}, () => {
  for (let done = 0; done < sequenceCount; done += chunk) {
    const result = explore({
      factory: (options) => new Raft(options),
      firstSeed: firstSeed + done,
      sequenceCount: Math.min(chunk, sequenceCount - done),
      actionCount: 100,
      settleEvery: 10,
    });
    if ("error" in result) expect.fail(describeFinding(result));
    // An exploration in which nothing happens would find nothing.
    expect(result.committed).toBeGreaterThan(result.sequences);
  }
});

describe("exploration finds", () => {
  const bugs = plantedBugs.filter(({ sequencesMax }) => sequencesMax <= sequencesAffordable);
  test.each(bugs)("$name", { timeout: 600_000 }, async (bug) => {
    const { factory, remove } = await loadWithBug(bug);
    try {
      const result = explore({
        factory,
        firstSeed,
        sequenceCount: bug.sequencesMax,
        actionCount: 100,
        settleEvery: bug.isLiveness ? 1 : 0,
        ...(bug.host && { faults: bug.host }),
      });
      expect("error" in result, `not found in ${bug.sequencesMax} sequences from seed ${firstSeed}`).toBe(
        true,
      );
    } finally {
      remove();
    }
  });
});
