import { Partition } from "#src/partitions/partition.ts";
import { ProducerTable } from "#src/partitions/producer-table.ts";
import { Trims } from "#src/partitions/trims.ts";
import { Log } from "#storage/log/log.ts";
import { LogManager } from "#storage/log/log-manager.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { replaceGetter, replaceMethod, together } from "./replace-method.ts";

/** A day and more, in ms. */
const aheadMs = 30 * 24 * 60 * 60 * 1_000;

/** Bugs in partitions, their logs and their producers. */
export const partitionBugs: readonly PlantedBug[] = [
  {
    name: "counts before the flush",
    trap: "the leader counts itself only up to what it has flushed",
    plant: () => {
      const appended = new WeakMap<Partition, number>();
      return together(
        replaceMethod(Partition.prototype, "append", (append) => {
          return function (this: Partition, ...call) {
            const outcome = append.apply(this, call);
            if (outcome.kind === "appended") appended.set(this, outcome.nextOffset);
            return outcome;
          };
        }),
        replaceGetter(Partition.prototype, "highWatermark", (get) => (partition) => {
          return Math.max(get(partition), appended.get(partition) ?? 0);
        }),
      );
    },
  },
  {
    name: "acknowledges before the commit",
    trap: "acks=all answers after commit",
    plant: () =>
      replaceMethod(Partition.prototype, "whenCommitted", () => {
        return function (this: Partition) {
          return Promise.resolve();
        };
      }),
  },
  {
    name: "forgets producers when it starts",
    trap: "the dedupe window survives a restart",
    plant: () =>
      replaceMethod(Partition.prototype, "lead", (lead) => {
        return function (this: Partition, group) {
          this.producers.expire(Number.MAX_SAFE_INTEGER, 0);
          lead.call(this, group);
        };
      }),
  },
  {
    name: "forgets the producers' snapshot",
    trap: "the dedupe window survives retention",
    plant: () =>
      replaceMethod(ProducerTable.prototype, "restore", () => {
        return function (this: ProducerTable) {};
      }),
  },
  {
    name: "appends duplicates",
    trap: "a duplicate gets the original offset",
    plant: () =>
      replaceMethod(ProducerTable.prototype, "check", (check) => {
        return function (this: ProducerTable, sequence) {
          const verdict = check.call(this, sequence);
          return verdict.kind === "duplicate" ? { kind: "next" } : verdict;
        };
      }),
  },
  {
    name: "answers duplicates as out of order",
    trap: "OUT_OF_ORDER is never the answer to a duplicate",
    plant: () =>
      replaceMethod(ProducerTable.prototype, "check", (check) => {
        return function (this: ProducerTable, sequence) {
          const verdict = check.call(this, sequence);
          return verdict.kind === "duplicate" ? { kind: "outOfOrder", expectedSequence: 0 } : verdict;
        };
      }),
  },
  {
    name: "answers duplicates with the end of the log",
    trap: "a duplicate gets the original offset",
    plant: () =>
      replaceMethod(Partition.prototype, "append", (append) => {
        return function (this: Partition, ...call) {
          const outcome = append.apply(this, call);
          if (outcome.kind !== "duplicate") return outcome;
          return { ...outcome, baseOffset: this.highWatermark };
        };
      }),
  },
  {
    name: "takes sequences with gaps",
    trap: "batches behind a failed one are refused",
    plant: () =>
      replaceMethod(ProducerTable.prototype, "check", (check) => {
        return function (this: ProducerTable, sequence) {
          const verdict = check.call(this, sequence);
          return verdict.kind === "outOfOrder" ? { kind: "next" } : verdict;
        };
      }),
  },
  {
    name: "lets the journal go before segments are flushed",
    trap: "what the journal lets go must be durable elsewhere",
    plant: () =>
      replaceMethod(LogManager.prototype, "checkpoint", (checkpoint) => {
        return async function (this: LogManager) {
          const durable = await checkpoint.call(this);
          return new Map([...durable.keys()].map((log) => [log, log.nextOffset]));
        };
      }),
  },
  {
    name: "keeps time for retention a month ahead",
    trap: "retention takes what is not due",
    plant: () =>
      together(
        replaceMethod(Log.prototype, "applyRetention", (apply) => {
          return function (this: Log, { nowMs }) {
            return apply.call(this, { nowMs: nowMs + aheadMs });
          };
        }),
        replaceGetter(Log.prototype, "config", (get) => (log) => ({ ...get(log), retentionMs: 0 })),
      ),
  },
  {
    name: "answers DeleteRecords before it is done",
    trap: "what was answered survives a crash",
    plant: () =>
      replaceMethod(Trims.prototype, "trimTo", (trim) => {
        return function (this: Trims, offset) {
          trim.call(this, offset).catch(() => undefined);
          return Promise.resolve();
        };
      }),
  },
  {
    name: "skips a record where a batch ends",
    trap: "a reader sees every offset",
    plant: () =>
      replaceMethod(Log.prototype, "read", (read) => {
        return function (this: Log, request) {
          const isSkipped = request.offset % 16 === 7 && request.offset + 1 < request.upToOffset;
          return read.call(this, isSkipped ? { ...request, offset: request.offset + 1 } : request);
        };
      }),
  },
  {
    name: "reads dirty batches only",
    trap: "what left memory is read from segments",
    plant: () =>
      replaceMethod(Log.prototype, "scan", () => {
        return async function (this: Log) {};
      }),
  },
];
