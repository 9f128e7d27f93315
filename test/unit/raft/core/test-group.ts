import { type Configuration, votersOnly } from "#raft/core/configuration.ts";
import type { Entry } from "#raft/core/entry.ts";
import type { RaftLimits, RaftOptions } from "#raft/core/group-state.ts";
import type { Message } from "#raft/core/messages.ts";
import { Raft } from "#raft/core/raft.ts";
import type { ConfirmedRead, Load, Write } from "#raft/core/ready.ts";
import type { ReplicaId } from "#raft/core/replica-id.ts";

export const testLimits: RaftLimits = {
  appendBytesMax: 1_000,
  inflight: { messagesMax: 10, bytesMax: 10_000 },
  recentBytesMax: 100_000,
  loadBytesMax: 1_000,
  readsMax: 10,
};

/** Options of a replica that times out after 5 ticks, and as many more as its id. */
export function testOptions(id: ReplicaId, options: Partial<RaftOptions> = {}): RaftOptions {
  return {
    id,
    electionTicks: 5,
    heartbeatTicks: 1,
    electionJitter: (below) => id % below,
    limits: testLimits,
    configuration: votersOnly([1, 2, 3]),
    ...options,
  };
}

/** A replica and what its host has seen of it. */
export class TestReplica {
  readonly raft: Raft;
  readonly applied: Entry[] = [];
  readonly reads: ConfirmedRead[] = [];
  readonly loads: Load[] = [];
  readonly catchUps: ReplicaId[] = [];
  readonly writes: Write[] = [];
  /** Writes stay under way until `persist`. */
  isDiskStuck = false;

  constructor(options: RaftOptions) {
    this.raft = new Raft(options);
  }

  /** Does what the replica wants; answers what it sends. */
  work(): Message[] {
    const messages: Message[] = [];
    for (let ready = this.raft.ready(); ready; ready = this.raft.ready()) {
      messages.push(...ready.messages);
      if (ready.write) this.writes.push(ready.write);
      if (!this.isDiskStuck) this.persist();
      this.applied.push(...ready.committed);
      const last = ready.committed.at(-1);
      if (last) this.raft.applied(last.index);
      this.reads.push(...ready.reads);
      this.loads.push(...ready.loads);
      this.catchUps.push(...ready.catchUps);
    }
    return messages;
  }

  persist(): void {
    for (const write of this.writes.splice(0)) this.raft.persisted(write.token);
  }
}

/** Replicas on a network that delivers everything at once, except to and from those that are cut off. */
export class TestGroup {
  readonly replicas: readonly TestReplica[];
  readonly cutOff = new Set<ReplicaId>();

  constructor(
    ids: readonly ReplicaId[] = [1, 2, 3],
    options: Partial<RaftOptions> | ((id: ReplicaId) => Partial<RaftOptions>) = {},
  ) {
    const configuration: Configuration = votersOnly(ids);
    const optionsOf = typeof options === "function" ? options : () => options;
    this.replicas = ids.map((id) => new TestReplica(testOptions(id, { configuration, ...optionsOf(id) })));
  }

  replica(id: ReplicaId): TestReplica {
    const replica = this.replicas.find(({ raft }) => raft.id === id);
    if (!replica) throw new Error(`Cannot find replica "${id}": not in the group`);
    return replica;
  }

  /** Until nothing moves any more; answers all that was sent. */
  settle(): Message[] {
    const sent: Message[] = [];
    for (let isBusy = true; isBusy; ) {
      const messages = this.replicas.flatMap((replica) => replica.work());
      isBusy = messages.length > 0;
      sent.push(...messages);
      for (const message of messages) {
        if (this.cutOff.has(message.from) || this.cutOff.has(message.to)) continue;
        this.replicas.find(({ raft }) => raft.id === message.to)?.raft.step(message);
      }
    }
    return sent;
  }

  /** Time passes for all. */
  tick(count = 1): void {
    for (; count > 0; count--) {
      for (const { raft } of this.replicas) raft.tick();
      this.settle();
    }
  }

  /** Makes a replica the leader of a group that has none. */
  elect(id: ReplicaId): Raft {
    const { raft } = this.replica(id);
    raft.campaign();
    this.settle();
    if (raft.role !== "leader") throw new Error(`Cannot elect "${id}": it is ${raft.role}`);
    return raft;
  }
}

/** Proposes an entry of one record with a payload of this many bytes. */
export function proposeBytes(raft: Raft, sizeBytes = 10): Entry | undefined {
  const payload = new Uint8Array(sizeBytes).fill(raft.lastIndex);
  return raft.propose({ kind: "data", baseOffset: raft.nextOffset, offsetCount: 1, payload });
}
