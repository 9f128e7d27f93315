import type { AnomalyKind } from "./anomaly.ts";
import {
  type Operation,
  type PollStep,
  type ReadRecord,
  type SendStep,
  type Step,
  stepsOf,
} from "./operation.ts";
import { finalReader } from "./valid-history.ts";

/** A way to spoil a valid history, and what a checker must then find; undefined where it has nothing to spoil. */
export interface Mutant {
  readonly name: string;
  readonly finds: readonly AnomalyKind[];
  readonly spoil: (history: readonly Operation[], random: () => number) => Operation[] | undefined;
}

type Random = () => number;

/** The value of an acknowledged send leaves all reads. */
function loseWrite(history: readonly Operation[], random: Random): Operation[] | undefined {
  const lost = anyOf(finallyRead(history), random);
  return lost && mapReads(history, (records) => records.filter(({ value }) => value !== lost.value));
}

/** Only the final reader misses a value. */
function hideFromFinalReader(history: readonly Operation[], random: Random): Operation[] | undefined {
  const lost = anyOf(finallyRead(history), random);
  return (
    lost &&
    mapReads(history, (records, { process }) =>
      process === finalReader ? records.filter(({ value }) => value !== lost.value) : records,
    )
  );
}

/** A value comes a second time, behind all others. */
function duplicate(history: readonly Operation[], random: Random): Operation[] | undefined {
  const copied = anyOf(finallyRead(history), random);
  if (!copied) return undefined;
  const end = Math.max(...reads(history).flatMap(({ step }) => step.records.map(({ offset }) => offset)));
  return editLast(history, copied.step.key, (records) => [
    ...records,
    { offset: end + 1, value: copied.value },
  ]);
}

/** Two readers find different values at one offset. */
function swapValue(history: readonly Operation[], random: Random): Operation[] | undefined {
  const poll = anyOf(
    reads(history).filter(({ step }) => step.records.length >= 2),
    random,
  );
  const [first, second] = poll?.step.records ?? [];
  if (!poll || !first || !second) return undefined;
  const swapped = [
    { ...first, value: second.value },
    { ...second, value: first.value },
    ...poll.step.records.slice(2),
  ];
  return replaceStep(history, poll.step, { ...poll.step, records: swapped });
}

/** The broker said that a send failed, yet it was read. */
function readFailed(history: readonly Operation[], random: Random): Operation[] | undefined {
  const read = anyOf(finallyRead(history), random);
  return (
    read &&
    history.map((operation) =>
      stepsOf(operation, "send").some(({ value }) => value === read.value)
        ? { ...operation, outcome: "failed" }
        : operation,
    )
  );
}

/** A value that nobody sent. */
function inventValue(history: readonly Operation[], random: Random): Operation[] | undefined {
  const poll = anyOf(
    reads(history).filter(({ step }) => step.records.length > 0),
    random,
  );
  if (!poll) return undefined;
  const records = poll.step.records.map((record, at) => (at === 0 ? { ...record, value: -1 } : record));
  return replaceStep(history, poll.step, { ...poll.step, records });
}

/** A transaction reads what it has sent itself. */
function readOwn(history: readonly Operation[], random: Random): Operation[] | undefined {
  const read = anyOf(finallyRead(history), random);
  return (
    read &&
    history.map((operation) =>
      stepsOf(operation, "send").some(({ value }) => value === read.value)
        ? {
            ...operation,
            steps: [
              ...operation.steps,
              { ...read.step, records: [{ offset: read.offset, value: read.value }] },
            ],
          }
        : operation,
    )
  );
}

/** A record in the middle of one answer is left out. */
function skipInside(history: readonly Operation[], random: Random): Operation[] | undefined {
  const poll = anyOf(
    reads(history).filter(({ step, process }) => step.records.length >= 3 && process !== finalReader),
    random,
  );
  return (
    poll &&
    replaceStep(history, poll.step, { ...poll.step, records: poll.step.records.filter((_, at) => at !== 1) })
  );
}

/** Two records of one answer change places. */
function reorderInside(history: readonly Operation[], random: Random): Operation[] | undefined {
  const poll = anyOf(
    reads(history).filter(({ step }) => step.records.length >= 2),
    random,
  );
  return poll && replaceStep(history, poll.step, { ...poll.step, records: poll.step.records.toReversed() });
}

/** A reader gets the records of an earlier answer again. */
function repeatPoll(history: readonly Operation[], random: Random): Operation[] | undefined {
  const pair = anyOf(consecutivePolls(history), random);
  if (!pair) return undefined;
  const records = pair.first.records;
  return replaceStep(history, pair.second, { ...pair.second, position: pair.first.position, records });
}

/** A reader goes on behind what comes next. */
function skipBetween(history: readonly Operation[], random: Random): Operation[] | undefined {
  const pair = anyOf(
    consecutivePolls(history).filter(({ second }) => second.records.length >= 2),
    random,
  );
  if (!pair) return undefined;
  const [, next] = pair.second.records;
  const records = pair.second.records.slice(1);
  return replaceStep(history, pair.second, { ...pair.second, position: next?.offset ?? 0, records });
}

/** A batch whose offsets fall. */
function fallingBatch(history: readonly Operation[], random: Random): Operation[] | undefined {
  const batch = anyOf(
    acknowledged(history).filter((operation) => operation.steps.length >= 2),
    random,
  );
  if (!batch) return undefined;
  const offsets = stepsOf(batch, "send")
    .map(({ offset }) => offset)
    .reverse();
  const steps = stepsOf(batch, "send").map((step, at) => ({ ...step, offset: offsets[at] }));
  return history.map((operation) => (operation === batch ? { ...operation, steps } : operation));
}

/** What a producer sent first gets an offset behind what it sent next. */
function swapSends(history: readonly Operation[], random: Random): Operation[] | undefined {
  const single = acknowledged(history).filter(({ steps }) => steps.length === 1);
  const pairs = single.flatMap((first, at) => {
    const keyOf = (operation: Operation) => stepsOf(operation, "send")[0]?.key;
    const second = single
      .slice(at + 1)
      .find((other) => other.process === first.process && keyOf(other) === keyOf(first));
    return second ? [{ first, second }] : [];
  });
  const pair = anyOf(pairs, random);
  const [first] = pair ? stepsOf(pair.first, "send") : [];
  const [second] = pair ? stepsOf(pair.second, "send") : [];
  if (!pair || !first || !second) return undefined;
  return history.map((operation) => {
    if (operation === pair.first) return { ...operation, steps: [{ ...first, offset: second.offset }] };
    if (operation === pair.second) return { ...operation, steps: [{ ...second, offset: first.offset }] };
    return operation;
  });
}

/** Two operations that have each read what the other sent. */
function readEachOther(history: readonly Operation[], random: Random): Operation[] | undefined {
  const found = finallyRead(history);
  const one = anyOf(found, random);
  const other = one && found.find(({ sender, step }) => sender !== one.sender && step.key === one.step.key);
  if (!one || !other) return undefined;
  const sees = (record: FoundRecord): Step => ({
    ...record.step,
    position: record.offset,
    records: [{ offset: record.offset, value: record.value }],
  });
  return history.map((operation) => {
    if (operation === one.sender) return { ...operation, steps: [...operation.steps, sees(other)] };
    if (operation === other.sender) return { ...operation, steps: [...operation.steps, sees(one)] };
    return operation;
  });
}

/** A reader is shown an end that lies before what was acknowledged long ago. */
function lowerWatermark(history: readonly Operation[], random: Random): Operation[] | undefined {
  const poll = anyOf(
    reads(history).filter(({ process, step }) => process === finalReader && step.highWatermark > 0),
    random,
  );
  return poll && replaceStep(history, poll.step, { ...poll.step, highWatermark: 0 });
}

/** A group's offset is one that was overwritten. */
function loseCommit(history: readonly Operation[], random: Random): Operation[] | undefined {
  const read = anyOf(
    history.flatMap((operation) => stepsOf(operation, "read")).filter(({ value }) => value !== undefined),
    random,
  );
  return read && replaceStep(history, read, { ...read, value: -7 });
}

/** Every way to spoil a history. */
export const mutants: readonly Mutant[] = [
  { name: "an acknowledged write is lost", finds: ["lostWrite"], spoil: loseWrite },
  { name: "a write that was read is lost later", finds: ["lostWrite"], spoil: hideFromFinalReader },
  { name: "a record is there twice", finds: ["duplicate"], spoil: duplicate },
  { name: "one offset has two values", finds: ["inconsistentOffsets"], spoil: swapValue },
  { name: "a failed send is read", finds: ["abortedRead"], spoil: readFailed },
  { name: "a value comes from nowhere", finds: ["neverSent"], spoil: inventValue },
  { name: "a transaction reads its own sends", finds: ["precommittedRead"], spoil: readOwn },
  { name: "an answer leaves a record out", finds: ["internalPollSkip", "offsetGap"], spoil: skipInside },
  { name: "an answer is out of order", finds: ["internalNonmonotonicPoll"], spoil: reorderInside },
  { name: "a reader goes back", finds: ["nonmonotonicPoll"], spoil: repeatPoll },
  { name: "a reader skips", finds: ["pollSkip"], spoil: skipBetween },
  { name: "a batch's offsets fall", finds: ["internalNonmonotonicSend"], spoil: fallingBatch },
  { name: "sends are out of order", finds: ["nonmonotonicSend", "disorder"], spoil: swapSends },
  { name: "two operations read each other", finds: ["G1c"], spoil: readEachOther },
  { name: "the end goes back", finds: ["watermarkBack", "staleRead"], spoil: lowerWatermark },
  { name: "a committed offset is lost", finds: ["lostUpdate"], spoil: loseCommit },
];

interface Read {
  readonly process: string;
  readonly step: PollStep;
}

interface FoundRecord extends ReadRecord {
  readonly step: PollStep;
  readonly sender: Operation;
}

function reads(history: readonly Operation[]): Read[] {
  return history.flatMap((operation) =>
    stepsOf(operation, "poll").map((step) => ({ process: operation.process, step })),
  );
}

function acknowledged(history: readonly Operation[]): Operation[] {
  return history.filter((operation) => operation.outcome === "ok" && stepsOf(operation, "send").length > 0);
}

/** Acknowledged records that the final reader has found. */
function finallyRead(history: readonly Operation[]): FoundRecord[] {
  const senders = new Map<number, Operation>();
  for (const operation of acknowledged(history)) {
    for (const { value } of stepsOf(operation, "send")) senders.set(value, operation);
  }
  return reads(history)
    .filter(({ process }) => process === finalReader)
    .flatMap(({ step }) =>
      step.records.flatMap((record) => {
        const sender = senders.get(record.value);
        return sender ? [{ ...record, step, sender }] : [];
      }),
    );
}

/** Two polls of one reader and key with records in both and nothing in between that would excuse a jump. */
function consecutivePolls(history: readonly Operation[]): { first: PollStep; second: PollStep }[] {
  const pairs: { first: PollStep; second: PollStep }[] = [];
  for (const operations of Map.groupBy(history, ({ process }) => process).values()) {
    const before = new Map<string, PollStep>();
    for (const operation of operations) {
      if (stepsOf(operation, "assign").length > 0) before.clear();
      for (const step of stepsOf(operation, "poll")) {
        if (step.records.length === 0) continue;
        const first = before.get(step.key);
        if (first) pairs.push({ first, second: step });
        before.set(step.key, step);
      }
    }
  }
  return pairs;
}

function mapReads(
  history: readonly Operation[],
  change: (records: readonly ReadRecord[], operation: Operation) => readonly ReadRecord[],
): Operation[] {
  return history.map((operation) => ({
    ...operation,
    steps: operation.steps.map((step) =>
      step.kind === "poll" ? { ...step, records: change(step.records, operation) } : step,
    ),
  }));
}

function replaceStep(
  history: readonly Operation[],
  old: Step,
  step: PollStep | SendStep | Step,
): Operation[] {
  return history.map((operation) => ({
    ...operation,
    steps: operation.steps.map((other) => (other === old ? step : other)),
  }));
}

/** Changes the last answer that the final reader got for a key. */
function editLast(
  history: readonly Operation[],
  key: string,
  change: (records: readonly ReadRecord[]) => readonly ReadRecord[],
): Operation[] | undefined {
  const last = reads(history).findLast(({ process, step }) => process === finalReader && step.key === key);
  return last && replaceStep(history, last.step, { ...last.step, records: change(last.step.records) });
}

function anyOf<T>(choices: readonly T[], random: Random): T | undefined {
  return choices[Math.floor(random() * choices.length)];
}
