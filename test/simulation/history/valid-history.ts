import type { Key, Operation, ReadRecord, SendStep, Step } from "./operation.ts";
import { Recorder } from "./recorder.ts";

/** The process that reads everything at the end of a valid history. */
export const finalReader = "final";

/** A log without a fault, and clients that use it one step at a time. */
class PerfectLog {
  readonly records: ReadRecord[] = [];
  startOffset = 0;
  nextOffset = 0;

  append(value: number): number {
    this.records.push({ offset: this.nextOffset, value });
    return this.nextOffset++;
  }

  read(position: number, countMax: number): ReadRecord[] {
    return this.records.filter(({ offset }) => offset >= position).slice(0, countMax);
  }
}

export interface ValidHistoryOptions {
  readonly random: () => number;
  readonly operationCount: number;
}

/**
 * A random history that nothing is wrong with: overlapping sends of batches, indefinite ones among them that took
 * effect or did not, readers that are assigned, seek, and meet a log whose start moves, and commits of offsets.
 */
export function validHistory({ random, operationCount }: ValidHistoryOptions): Operation[] {
  let time = 0;
  const recorder = new Recorder(() => ++time);
  const pick = (count: number) => Math.floor(random() * count);
  const logs = new Map<Key, PerfectLog>([
    ["t-0", new PerfectLog()],
    ["t-1", new PerfectLog()],
  ]);
  const keys = [...logs.keys()];
  const positions = new Map<string, number>();
  const committed = new Map<Key, number>();
  let nextValue = 1;

  const send = () => {
    const key = keys[pick(keys.length)] ?? "t-0";
    const log = logs.get(key) ?? new PerfectLog();
    const planned = Array.from({ length: 1 + pick(3) }, (): SendStep => {
      const value = nextValue++;
      return { kind: "send", key, value, offset: undefined, acks: "all", mayRepeat: false };
    });
    const invocation = recorder.invoke(`producer-${pick(2)}`, planned);
    const luck = random();
    if (luck < 0.1) {
      invocation.complete("failed", planned);
      return;
    }
    const isIndefinite = luck < 0.25;
    if (isIndefinite && random() < 0.5) return;
    const done = planned.map((step): SendStep => ({ ...step, offset: log.append(step.value) }));
    if (!isIndefinite) invocation.complete("ok", done);
  };
  const poll = (process: string, countMax: number): boolean => {
    let hasMore = false;
    const invocation = recorder.invoke(process, []);
    const steps = [...logs].map(([key, log]): Step => {
      const position = Math.max(positions.get(`${process}/${key}`) ?? 0, log.startOffset);
      const records = log.read(position, countMax);
      positions.set(`${process}/${key}`, (records.at(-1)?.offset ?? position - 1) + 1);
      hasMore ||= records.length === countMax;
      return { kind: "poll", key, position, records, highWatermark: log.nextOffset };
    });
    invocation.complete("ok", steps);
    return hasMore;
  };
  const seek = (process: string) => {
    recorder.invoke(process, []).complete("ok", [{ kind: "assign", how: "seek", keys }]);
    for (const [key, log] of logs) positions.set(`${process}/${key}`, pick(log.nextOffset + 1));
  };
  const trim = () => {
    const [key, log] = [...logs][pick(logs.size)] ?? ["t-0", new PerfectLog()];
    const offset = log.startOffset + pick((log.nextOffset - log.startOffset) / 4 + 1);
    const invocation = recorder.invoke("admin", [{ kind: "trim", key, offset }]);
    log.startOffset = offset;
    if (random() < 0.8) invocation.complete("ok", [{ kind: "trim", key, offset }]);
  };
  const commit = () => {
    const key = keys[pick(keys.length)] ?? "t-0";
    const offset = pick(1_000);
    const step: Step = { kind: "write", register: `g/${key}`, value: offset };
    const invocation = recorder.invoke("committer", [step]);
    if (random() < 0.9) {
      committed.set(key, offset);
      invocation.complete("ok", [step]);
    }
  };
  const readCommitted = () => {
    const steps = keys.map(
      (key): Step => ({ kind: "read", register: `g/${key}`, value: committed.get(key) }),
    );
    recorder.invoke("committer", []).complete("ok", steps);
  };

  for (let count = 0; count < operationCount; count++) {
    const luck = random();
    if (luck < 0.5) send();
    else if (luck < 0.8) poll(`reader-${pick(2)}`, 1 + pick(8));
    else if (luck < 0.84) seek(`reader-${pick(2)}`);
    else if (luck < 0.88) trim();
    else if (luck < 0.94) commit();
    else readCommitted();
  }
  while (poll(finalReader, 50));
  return recorder.history();
}
