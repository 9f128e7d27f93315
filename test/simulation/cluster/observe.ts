import { Partition } from "#src/partitions/partition.ts";
import { Log } from "#storage/log/log.ts";
import { replaceMethod, together } from "../planted/replace-method.ts";
import type { Marks } from "./marks.ts";

/** Watches brokers from inside for states that clients cannot see. */
export function observeBrokers(marks: Marks): Disposable {
  const firstOffsetOfLife = new WeakMap<Partition, number>();
  return together(
    replaceMethod(Partition.prototype, "lead", (lead) => {
      return function (this: Partition, group) {
        firstOffsetOfLife.set(this, group.nextOffset);
        lead.call(this, group);
      };
    }),
    replaceMethod(Partition.prototype, "append", (append) => {
      return function (this: Partition, ...call) {
        const outcome = append.apply(this, call);
        if (outcome.kind === "duplicate") {
          marks.reach("duplicate batch answered");
          const isOld = outcome.baseOffset < (firstOffsetOfLife.get(this) ?? 0);
          if (isOld) marks.reach("duplicate batch answered after a restart");
        }
        return outcome;
      };
    }),
    replaceMethod(Log.prototype, "flush", (flush) => {
      return async function (this: Log) {
        await flush.call(this);
        if (this.segments().length > 1) marks.reach("segment rolled");
      };
    }),
  );
}
