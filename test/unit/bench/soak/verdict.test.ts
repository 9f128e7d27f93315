import { expect, test } from "vitest";
import { emptyTally } from "../../../../bench/soak/ledger.ts";
import type { ProcessSample, Sample } from "../../../../bench/soak/sampler.ts";
import { judge, judgedSamples, type SoakOutcome } from "../../../../bench/soak/verdict.ts";

const quiet: ProcessSample = {
  residentBytes: 200e6,
  heapUsedBytes: 40e6,
  heapTotalBytes: 90e6,
  externalBytes: 300e6,
  handles: 100,
  connections: 20,
  loopP99Ms: 2,
  loopMaxMs: 5,
};

/** Samples of a short first life and a long second one, 5 s apart. */
function samples(
  change: (at: number) => Partial<Sample> & { process?: ProcessSample } = () => ({}),
): Sample[] {
  return Array.from({ length: 200 }, (_, at) => ({
    atMs: at * 5_000,
    life: at < 20 ? 1 : 2,
    process: quiet,
    dataBytes: 50e6,
    journalBytes: 20e6,
    records: 10_000,
    p50Ms: 4,
    p99Ms: 10,
    maxMs: 20,
    lagRecords: 10,
    ...change(at),
  }));
}

function outcome(changes: Partial<SoakOutcome> = {}): SoakOutcome {
  return {
    samples: samples(),
    judgedLife: 2,
    judgedLifeMs: 900_000,
    dataBytesMax: 100e6,
    journalBytesMax: 50e6,
    tally: emptyTally(),
    sentRecords: 1_000,
    acknowledgedRecords: 1_000,
    wrongEndCount: 0,
    misplacedAcknowledgements: 0,
    wrongKeyCount: 0,
    unreadRecords: 0,
    faults: [],
    logErrors: [],
    uncleanStops: 0,
    silentConnections: 0,
    leftDirectories: [],
    ...changes,
  };
}

function missed(judged: SoakOutcome): string[] {
  return judge(judged)
    .filter(({ isMet }) => !isMet)
    .map(({ name }) => name);
}

test("a run in which nothing happened is good", () => {
  expect(missed(outcome())).toEqual([]);
});

test.each<[string, Partial<SoakOutcome>]>([
  ["records sent and never acknowledged", { acknowledgedRecords: 999 }],
  ["acknowledged records lost (gaps)", { tally: { ...emptyTally(), gapCount: 1 } }],
  ["records doubled or out of order", { tally: { ...emptyTally(), misplacedCount: 1 } }],
  ["records doubled or out of order", { misplacedAcknowledgements: 1 }],
  ["partitions that end elsewhere after the last restart", { wrongEndCount: 1 }],
  ["keys of the compacted topic with another last record", { wrongKeyCount: 1 }],
  ["stored offsets forgotten", { tally: { ...emptyTally(), lostCommitCount: 1 } }],
  ["records that a group had not read at the end", { unreadRecords: 1 }],
  ["answers and visits that went wrong", { faults: ["Cannot visit"] }],
  ["lines at error in the log", { logErrors: ["{}"] }],
  ["stops with another exit code than 0", { uncleanStops: 1 }],
  ["directories of deleted topics left", { leftDirectories: ["passing-1-0"] }],
  ["silent connections that the broker did not end", { silentConnections: 1 }],
  ["segments on disk, most", { dataBytesMax: 49e6 }],
  ["journal on disk, most", { journalBytesMax: 19e6 }],
])("%s: one is too many", (name, changes) => {
  expect(missed(outcome(changes))).toEqual([name]);
});

test("memory that grows by 40 MB after the warm-up is a leak", () => {
  const growing = samples((at) => ({ process: { ...quiet, residentBytes: 200e6 + at * 0.3e6 } }));
  expect(missed(outcome({ samples: growing }))).toEqual(["resident memory, growth"]);
});

test("memory that goes up and down between collections has not grown", () => {
  const sawing = samples((at) => ({ process: { ...quiet, heapUsedBytes: 40e6 + (at % 10) * 5e6 } }));
  expect(missed(outcome({ samples: sawing }))).toEqual([]);
});

test("handles that are never given back are seen", () => {
  const leaking = samples((at) => ({ process: { ...quiet, handles: 100 + Math.floor(at / 5) } }));
  expect(missed(outcome({ samples: leaking }))).toEqual(["file handles, growth"]);
});

test("growth of a life that is as short as its warm-up is told, not judged", () => {
  const growing = samples((at) => ({ process: { ...quiet, residentBytes: 200e6 + at * 0.3e6 } }));
  expect(missed(outcome({ samples: growing, judgedLifeMs: 120_000 }))).toEqual([]);
});

test("growth within the warm-up, and in other lives, does not count", () => {
  const early = samples((at) => ({
    process: { ...quiet, residentBytes: Math.min(200e6 + at * 1e6, 260e6) },
  }));
  expect(missed(outcome({ samples: early }))).toEqual([]);
});

test("more memory than the bound is too much even for a moment of another life", () => {
  const peak = samples((at) => (at === 3 ? { process: { ...quiet, residentBytes: 401e6 } } : {}));
  expect(missed(outcome({ samples: peak }))).toEqual(["resident memory, most"]);
});

test("latencies that creep up are seen, single stalls are not", () => {
  const creeping = samples((at) => ({ p99Ms: 10 + at * 0.1 }));
  expect(missed(outcome({ samples: creeping }))).toEqual(["produce p99, last quarter"]);
  const stalling = samples((at) => (at % 30 === 0 ? { p99Ms: 900 } : {}));
  expect(missed(outcome({ samples: stalling }))).toEqual([]);
});

test("consumers that fall behind are seen", () => {
  const behind = samples((at) => ({ lagRecords: Math.max(0, at - 60) * 50 }));
  expect(missed(outcome({ samples: behind }))).toEqual(["consumer lag, last quarter"]);
});

test("the judged samples are the long life without its first quarter", () => {
  const judged = judgedSamples(outcome());
  expect(judged).toHaveLength(135);
  expect(judged[0]?.atMs).toBe(65 * 5_000);
});
