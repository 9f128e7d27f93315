import type { SnapshotPoint } from "../core/messages.ts";
import { noReplica, type ReplicaId } from "../core/replica-id.ts";
import type { CatchUp } from "./catch-up.ts";
import type { RaftGroup } from "./raft-group.ts";

/** What the host does for catch-ups. */
interface CatchUpOwner {
  /** Whether the group is still there, and the host still running. */
  readonly has: (group: RaftGroup) => boolean;
  /** Lets a group's log begin behind the point; resolves when that is durable. */
  readonly restartLog: (group: RaftGroup, point: SnapshotPoint) => Promise<void>;
  /** Told that the group has something for the next pass. */
  readonly onWork: (group: RaftGroup) => void;
}

/** Brings replicas over what a log has no more: asks the port for it, and tells the group what came of that. */
export class CatchUpDriver {
  readonly #catchUp: CatchUp | undefined;
  readonly #owner: CatchUpOwner;

  /** Without `catchUp` nothing can be offered or installed. */
  constructor(catchUp: CatchUp | undefined, owner: CatchUpOwner) {
    this.#catchUp = catchUp;
    this.#owner = owner;
  }

  /** On the leader: offers `to` a point that it can reach. */
  async offer(group: RaftGroup, to: ReplicaId): Promise<void> {
    try {
      if (!this.#catchUp) throw new Error("Cannot bring a replica close: there is no way to");
      const index = await this.#catchUp.offer(group, to);
      if (!this.#owner.has(group)) return;
      group.raft.sendSnapshot(to, group.raft.pointAt(Math.max(index, group.floor.index)));
    } catch {
      if (this.#owner.has(group)) group.raft.catchUpFailed(to);
    }
    this.#owner.onWork(group);
  }

  /**
   * On the replica: goes to the point. State first, then the floor that stands for it: a crash in between finds
   * committed data ahead of the log, which is applied once.
   */
  async install(group: RaftGroup, point: SnapshotPoint): Promise<void> {
    const isDone = await this.#installState(group, point);
    if (!this.#owner.has(group)) return;
    if (isDone) {
      await this.#owner.restartLog(group, point);
      if (!this.#owner.has(group)) return;
      group.installed(point);
    } else {
      group.raft.installFailed();
    }
    this.#owner.onWork(group);
  }

  async #installState(group: RaftGroup, point: SnapshotPoint): Promise<boolean> {
    const { leader } = group.raft;
    if (!this.#catchUp || leader === noReplica) return false;
    try {
      await this.#catchUp.install(group, point, leader);
      return true;
    } catch {
      return false;
    }
  }
}
