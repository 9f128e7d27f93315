import type { SnapshotPoint } from "../core/messages.ts";
import type { ReplicaId } from "../core/replica-id.ts";
import type { RaftGroup } from "./raft-group.ts";

/**
 * How a replica gets what its leader's log has no more: the data travels outside of Raft, which only agrees on the
 * point that the replica then stands at.
 */
export interface CatchUp {
  /**
   * On the leader: answers the index of an applied entry, not below the floor, whose state `to` can get from here.
   * A rejection is no harm: it is asked again when the replica is heard of.
   */
  offer(group: RaftGroup, to: ReplicaId): Promise<number>;
  /**
   * On the replica: brings the state machine to the point, durably and all at once; a crash before that leaves it as
   * it was. A rejection is no harm: the leader is told and offers again.
   */
  install(group: RaftGroup, point: SnapshotPoint, leader: ReplicaId): Promise<void>;
}
