import { crc32c } from "#protocol/bytes/crc32c.ts";
import { DurableWrites } from "#raft/core/durable-writes.ts";
import type { Entry } from "#raft/core/entry.ts";
import { Raft } from "#raft/core/raft.ts";
import { RaftLog } from "#raft/core/raft-log.ts";
import { nodeIdOf, type ReplicaId } from "#raft/core/replica-id.ts";
import { RaftGroup } from "#raft/host/raft-group.ts";
import { metadataGroupId } from "#src/cluster/metadata/metadata-store.ts";
import { offsetsTopicName } from "#src/coordinators/offsets-topic.ts";
import { Partition } from "#src/partitions/partition.ts";
import { replaceMethod, together } from "../planted/replace-method.ts";
import type { Mark } from "./marks.ts";
import type { Watched } from "./watched.ts";

/** What one replica applied as an entry of a group: every other must apply the same. */
interface AppliedEntry {
  readonly by: ReplicaId;
  readonly shape: string;
  /** Undefined where the state machine had the data already and the payload stayed on the disk. */
  checksum: number | undefined;
}

/** What is known of a group over all its replicas and all their lives. */
class GroupView {
  readonly leaders = new Map<number, ReplicaId>();
  readonly applied = new Map<number, AppliedEntry>();
  /** Where data of each term ends, as far as anybody has applied it. */
  readonly endOfTerm = new Map<number, number>();
}

/** Watches the replicas of all groups for what Raft promises: these must hold whatever goes wrong. */
export function observeGroups({ marks, committedEnds, onViolation }: Watched): Disposable {
  const views = new Map<number, GroupView>();
  const names = new Map<number, string>();
  const viewOf = (groupId: number): GroupView => {
    const view = views.get(groupId) ?? new GroupView();
    views.set(groupId, view);
    return view;
  };
  const violate = (kind: string, groupId: number, details: string) =>
    onViolation({ kind, details: `group ${groupId} (${names.get(groupId) ?? "metadata"}): ${details}` });
  const reach = (groupId: number, of: "metadata" | "group"): Mark => {
    if (of === "metadata") return "leadership of the metadata moved";
    return names.get(groupId) === offsetsTopicName ? "coordinator moved" : "leadership moved";
  };

  return together(
    replaceMethod(RaftGroup.prototype, "changeLeadership", (change) => {
      return function (this: RaftGroup, leadership) {
        const { role, term } = leadership;
        const { leaders } = viewOf(this.id);
        const own = this.raft.id;
        const known = leaders.get(term);
        if (role === "leader" && known !== undefined && known !== own) {
          violate("twoLeaders", this.id, `nodes ${nodeIdOf(known)} and ${nodeIdOf(own)} lead term ${term}`);
        }
        if (role === "leader" && known === undefined) {
          const isElsewhere = [...leaders.values()].some((leader) => leader !== own);
          if (isElsewhere) marks.reach(reach(this.id, this.id === metadataGroupId ? "metadata" : "group"));
          leaders.set(term, own);
        }
        if (role === "follower" && known === own) marks.reach("leader stepped down in its own term");
        change.call(this, leadership);
      };
    }),
    replaceMethod(RaftGroup.prototype, "apply", (apply) => {
      return function (this: RaftGroup, entries) {
        const view = viewOf(this.id);
        for (const entry of entries) {
          const problem = compare(view, entry, this.raft.id);
          if (problem) violate("committedDiffers", this.id, problem);
          if (this.raft.role === "leader" && entry.term < this.raft.term && entries.length > 0) {
            marks.reach("entries of an earlier term applied by a leader");
          }
        }
        apply.call(this, entries);
      };
    }),
    replaceMethod(RaftGroup.prototype, "installed", (installed) => {
      return function (this: RaftGroup, point) {
        marks.reach("replica caught up from segments");
        installed.call(this, point);
      };
    }),
    replaceMethod(Raft.prototype, "step", (step) => {
      return function (this: Raft, message) {
        if (message.kind === "timeoutNow" && message.to === this.id) marks.reach("leadership handed over");
        if (message.kind === "voteAnswer" && !message.isGranted) marks.reach("vote refused");
        if (message.kind === "append" && message.term < this.term)
          marks.reach("append of an old leader refused");
        step.call(this, message);
      };
    }),
    replaceMethod(RaftLog.prototype, "truncateFrom", (truncate) => {
      return function (this: RaftLog, index) {
        marks.reach("uncommitted tail truncated");
        if (index <= this.persistedIndex) marks.reach("durable tail truncated");
        truncate.call(this, index);
      };
    }),
    replaceMethod(DurableWrites.prototype, "truncateFrom", (truncate) => {
      return function (this: DurableWrites, index) {
        if (index > 0 && this.oldestTick !== undefined) marks.reach("tail truncated under a write");
        truncate.call(this, index);
      };
    }),
    replaceMethod(Partition.prototype, "lead", (lead) => {
      return function (this: Partition, group) {
        names.set(this.groupId, this.topic === offsetsTopicName ? this.topic : this.name);
        lead.call(this, group);
      };
    }),
    replaceMethod(Partition.prototype, "apply", (apply) => {
      return function (this: Partition, entry) {
        apply.call(this, entry);
        const { endOfTerm } = viewOf(this.groupId);
        if (this.isClosed) return;
        const end = entry.baseOffset + entry.offsetCount;
        endOfTerm.set(entry.term, Math.max(end, endOfTerm.get(entry.term) ?? 0));
        committedEnds.note(this.name, end);
      };
    }),
    replaceMethod(Partition.prototype, "leadership", (tell) => {
      return function (this: Partition, leadership) {
        tell.call(this, leadership);
        if (!this.isLeader) return;
        for (const [term, end] of viewOf(this.groupId).endOfTerm) {
          if (term >= leadership.term || this.highWatermark >= end) continue;
          const details = `the leader of term ${leadership.term} begins with high watermark ${this.highWatermark}, term ${term} reached ${end}`;
          violate("highWatermarkBack", this.groupId, details);
        }
      };
    }),
  );
}

/** Says what differs from what another replica applied at the same index, or from what the terms before allow. */
function compare({ applied }: GroupView, entry: Entry, by: ReplicaId): string | undefined {
  const { index, term, kind, baseOffset, offsetCount, payload } = entry;
  const shape = `${kind} of term ${term} at offset ${baseOffset}+${offsetCount}`;
  const checksum = payload.length > 0 ? crc32c(payload) : undefined;
  const known = applied.get(index);
  if (!known) {
    applied.set(index, { by, shape, checksum });
    return undefined;
  }
  if (known.shape !== shape) {
    return `node ${nodeIdOf(by)} applied ${shape} at index ${index}, node ${nodeIdOf(known.by)} ${known.shape}`;
  }
  known.checksum ??= checksum;
  if (checksum !== undefined && known.checksum !== checksum) {
    return `nodes ${nodeIdOf(by)} and ${nodeIdOf(known.by)} applied other bytes at index ${index}`;
  }
  return undefined;
}
