import { Partition } from "#src/partitions/partition.ts";
import { Log } from "#storage/log/log.ts";
import { replaceMethod, together } from "../planted/replace-method.ts";
import { observeGroups } from "./observe-groups.ts";
import { observePromises } from "./observe-promises.ts";
import { observeWrites } from "./observe-writes.ts";
import type { Watched } from "./watched.ts";

/** Watches brokers from inside for what clients cannot see. */
export function observeBrokers(watched: Watched): Disposable {
  const { marks } = watched;
  const firstOffsetOfLife = new WeakMap<Partition, number>();
  const firstOffsetOfTerm = new WeakMap<Partition, number>();
  return together(
    observeGroups(watched),
    observePromises(watched),
    observeWrites(watched),
    replaceMethod(Partition.prototype, "leadership", (tell) => {
      return function (this: Partition, leadership) {
        const wasLeader = this.isLeader && !leadership.isSettled;
        tell.call(this, leadership);
        if (this.isLeader && !wasLeader) firstOffsetOfTerm.set(this, this.highWatermark);
      };
    }),
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
          const isOfOther = outcome.baseOffset < (firstOffsetOfTerm.get(this) ?? 0);
          if (isOfOther && !isOld) marks.reach("duplicate batch answered after a failover");
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
