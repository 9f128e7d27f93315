import { expect, test } from "vitest";
import { seededRandom } from "../../unit/storage/seeded-random.ts";
import type { AnomalyKind } from "./anomaly.ts";
import { checkHistory } from "./checker.ts";
import { mutants } from "./mutants.ts";
import type { Operation, PollStep, SendStep, Step } from "./operation.ts";
import { finalReader, validHistory } from "./valid-history.ts";

const rules = { finalReader, isDense: () => true, isReadFresh: true };
const validSeeds = Array.from({ length: 300 }, (_, at) => at + 1);
const mutantSeeds = Array.from({ length: 40 }, (_, at) => at + 1);

test("a valid history gives no alarm", () => {
  for (const seed of validSeeds) {
    const history = validHistory({ random: seededRandom(seed), operationCount: 120 });
    expect(checkHistory(history, rules).violations, `seed ${seed}`).toEqual([]);
  }
});

test.each(mutants)("$name: is caught in every history", ({ finds, spoil }) => {
  let spoiled = 0;
  for (const seed of mutantSeeds) {
    const random = seededRandom(seed);
    const mutant = spoil(validHistory({ random, operationCount: 120 }), random);
    if (!mutant) continue;
    spoiled += 1;
    const kinds = new Set(checkHistory(mutant, rules).violations.map(({ kind }) => kind));
    expect(
      finds.some((kind) => kinds.has(kind)),
      `seed ${seed}: found ${[...kinds]}`,
    ).toBe(true);
  }
  expect(spoiled).toBeGreaterThan(mutantSeeds.length / 2);
});

interface KnownOperation {
  readonly process?: string;
  readonly outcome?: Operation["outcome"];
  readonly steps: readonly Step[];
}

/** Operations one after the other. */
function historyOf(operations: readonly KnownOperation[]): Operation[] {
  return operations.map(({ process = "p", outcome = "ok", steps }, index) => {
    return { index, process, outcome, steps, invokedAt: 2 * index, completedAt: 2 * index + 1 };
  });
}

function send(value: number, offset: number | undefined, more: Partial<SendStep> = {}): SendStep {
  return { kind: "send", key: "k", value, offset, acks: "all", mayRepeat: false, ...more };
}

function poll(position: number, values: readonly number[], more: Partial<PollStep> = {}): PollStep {
  const records = values.map((value, at) => ({ offset: position + at, value }));
  return { kind: "poll", key: "k", position, records, highWatermark: position + values.length, ...more };
}

const known: readonly {
  name: string;
  operations: readonly KnownOperation[];
  finds: readonly AnomalyKind[];
}[] = [
  {
    name: "an indefinite send that was read is no failure",
    operations: [
      { outcome: "indefinite", steps: [send(1, undefined)] },
      { process: finalReader, steps: [poll(0, [1])] },
    ],
    finds: [],
  },
  {
    name: "an indefinite send that nobody reads is no loss",
    operations: [
      { outcome: "indefinite", steps: [send(1, undefined)] },
      { steps: [send(2, 0)] },
      { process: finalReader, steps: [poll(0, [2])] },
    ],
    finds: [],
  },
  {
    name: "a read value that is gone at the end is lost, acknowledged or not",
    operations: [
      { outcome: "indefinite", steps: [send(1, undefined)] },
      { process: "r", steps: [poll(0, [1])] },
      { process: finalReader, steps: [poll(0, [])] },
    ],
    finds: ["lostWrite", "watermarkBack"],
  },
  {
    name: "what only the leader acknowledged may be lost",
    operations: [{ steps: [send(1, 0, { acks: "leader" })] }, { process: finalReader, steps: [poll(0, [])] }],
    finds: [],
  },
  {
    name: "a producer without idempotence may repeat itself",
    operations: [
      { steps: [send(1, 1, { mayRepeat: true })] },
      { process: finalReader, steps: [poll(0, [1, 1])] },
    ],
    finds: [],
  },
  {
    name: "an idempotent one may not",
    operations: [{ steps: [send(1, 1)] }, { process: finalReader, steps: [poll(0, [1, 1])] }],
    finds: ["duplicate"],
  },
  {
    name: "what was trimmed is not lost",
    operations: [
      { steps: [send(1, 0), send(2, 1)] },
      { outcome: "indefinite", steps: [{ kind: "trim", key: "k", offset: 1 }] },
      { process: finalReader, steps: [poll(1, [2])] },
    ],
    finds: [],
  },
  {
    name: "what lies behind the trimmed part is",
    operations: [
      { steps: [send(1, 0), send(2, 1), send(3, 2)] },
      { steps: [{ kind: "trim", key: "k", offset: 1 }] },
      { process: finalReader, steps: [poll(2, [3])] },
    ],
    finds: ["lostWrite"],
  },
  {
    name: "a rebalance excuses a step back",
    operations: [
      { steps: [send(1, 0), send(2, 1)] },
      { process: "r", steps: [poll(0, [1, 2])] },
      { process: "r", steps: [{ kind: "assign", how: "subscribe", keys: ["k"] }] },
      { process: "r", steps: [poll(0, [1, 2])] },
      { process: finalReader, steps: [poll(0, [1, 2])] },
    ],
    finds: [],
  },
  {
    name: "the final reader that never came leaves an acknowledged value unseen",
    operations: [{ steps: [send(1, 0)] }],
    finds: ["unseen"],
  },
  {
    name: "interleaved transactions are no violation",
    operations: [
      { steps: [send(1, 0), send(2, 3)] },
      { process: "q", steps: [send(3, 1), send(4, 2)] },
      { process: finalReader, steps: [poll(0, [1, 3, 4, 2])] },
    ],
    finds: ["disorder"],
  },
  {
    name: "a new commit may be read while its answer is on its way",
    operations: [
      { steps: [{ kind: "write", register: "r", value: 5 }] },
      { outcome: "indefinite", steps: [{ kind: "write", register: "r", value: 6 }] },
      { steps: [{ kind: "read", register: "r", value: 6 }] },
      { steps: [{ kind: "read", register: "r", value: 5 }] },
    ],
    finds: [],
  },
  {
    name: "an answered commit cannot be missing",
    operations: [
      { steps: [{ kind: "write", register: "r", value: 5 }] },
      { steps: [{ kind: "read", register: "r", value: undefined }] },
    ],
    finds: ["lostUpdate"],
  },
];

test.each(known)("$name", ({ operations, finds }) => {
  const { violations } = checkHistory(historyOf(operations), rules);
  expect([...new Set(violations.map(({ kind }) => kind))].sort()).toEqual([...finds].sort());
});
