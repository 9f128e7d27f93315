import { RaftLog } from "#raft/core/raft-log.ts";
import { JournalLogStore } from "#src/runtime/journal-log-store.ts";
import type { TightRaft } from "../plan/plan.ts";
import { replaceMethod, together } from "../planted/replace-method.ts";

/**
 * Makes the bounds of replication groups small. The broker's own are of the size of megabytes: a short run would meet
 * neither an append that carries a part of what is missing nor entries that have left memory.
 */
export function tightenRaft({ entriesMax, recentBytesMax }: TightRaft): Disposable {
  return together(
    replaceMethod(RaftLog.prototype, "recentEntries", (recent) => {
      return function (this: RaftLog, range) {
        return recent.call(this, { ...range, last: Math.min(range.last, range.start + entriesMax - 1) });
      };
    }),
    replaceMethod(RaftLog.prototype, "trim", (trim) => {
      return function (this: RaftLog, bytesMax) {
        trim.call(this, Math.min(bytesMax, recentBytesMax));
      };
    }),
    replaceMethod(JournalLogStore.prototype, "read", (read) => {
      return function (this: JournalLogStore, group, range) {
        const lastIndex = Math.min(range.lastIndex, range.firstIndex + entriesMax - 1);
        return read.call(this, group, { ...range, lastIndex });
      };
    }),
  );
}
