import type { Logger } from "pino";
import type { RaftHost } from "#raft/host/raft-host.ts";
import type { BrokerConfig } from "../config/broker-config.ts";
import type { PartitionManager } from "../partitions/partition-manager.ts";
import type { Clock } from "../runtime/clock.ts";
import { RepeatedWork } from "../runtime/repeated-work.ts";
import { Decommission, decommissionCheckMs } from "./admin/decommission.ts";
import type { ClusterMember } from "./cluster-member.ts";
import { balanceCheckMs, LeaderBalance } from "./leaders/leader-balance.ts";
import type { LeaderDirectory } from "./leaders/leader-directory.ts";
import { LeaderElections } from "./leaders/leader-elections.ts";
import { handOverAll } from "./leaders/leadership-transfer.ts";
import { FullDisks, tellFullMs } from "./membership/full-disks.ts";
import { QuorumWatch, quorumLookMs } from "./membership/quorum-watch.ts";
import { type MetadataStore, metadataGroupId } from "./metadata/metadata-store.ts";
import { isActive } from "./metadata/node-state.ts";
import { MembershipReconciler, reconcileIntervalMs } from "./replicas/membership-reconciler.ts";

export interface ClusterOperationsOptions {
  readonly config: BrokerConfig;
  readonly host: RaftHost;
  readonly metadata: MetadataStore;
  readonly leaders: LeaderDirectory;
  readonly partitions: PartitionManager;
  /** Undefined on a node that is alone. */
  readonly member: ClusterMember | undefined;
  /** Whether a node can be talked to now; this one always. */
  readonly isReachable: (nodeId: number) => boolean;
  /** Whether this node takes no records now. */
  readonly isBlocked: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a node that stops waits for others to take over what it leads. */
const handOverMsMax = 2_000;

/** What operators ask of a cluster, and what goes on in it on their behalf. */
export class ClusterOperations {
  readonly elections: LeaderElections;
  readonly quorum: QuorumWatch;
  readonly #options: ClusterOperationsOptions;
  readonly #work: RepeatedWork;
  readonly #fullDisks: FullDisks;

  constructor(options: ClusterOperationsOptions) {
    this.#options = options;
    const { host, leaders, clock, logger, member, metadata, isBlocked } = options;
    this.#work = new RepeatedWork({ clock, logger });
    const { nodeId, isReachable } = this.#place();
    this.#fullDisks = new FullDisks({
      ...{ nodeId, clock, calls: member?.calls, isFull: isBlocked },
      peers: () => [...metadata.image.brokers.keys()].filter((id) => id !== nodeId && isReachable(id)),
    });
    this.elections = new LeaderElections({
      ...this.#place(),
      ...{ groups: host, leaders, clock },
      isFull: (other) => this.#fullDisks.has(other),
      calls: member?.calls,
    });
    this.quorum = new QuorumWatch({
      ...this.#place(),
      group: () => host.group(metadataGroupId),
      calls: member?.calls,
      clock,
    });
  }

  /** Begins to look after what operators have set. */
  start(): void {
    const { config, host, metadata, partitions, member, clock, logger } = this.#options;
    if (!member) return;
    const reconciler = new MembershipReconciler({
      ...{ metadata, logger },
      led: () => partitions.led(),
      group: (groupId) => host.group(groupId),
    });
    this.#work.every(
      reconcileIntervalMs,
      () => reconciler.check(),
      "cannot bring the members of groups in line",
    );
    const balance = new LeaderBalance({
      ...this.#place(),
      ...{ host, clock, intervalMs: config.leaderBalanceIntervalMs },
      isFull: (nodeId) => this.#fullDisks.has(nodeId),
      ledPartitions: () => partitions.led(),
      image: () => metadata.image,
    });
    this.#work.every(balanceCheckMs, () => balance.check(), "cannot hand partitions over");
    this.#work.every(tellFullMs, () => this.#fullDisks.tell(), "cannot tell that the disk is full");
    const decommission = new Decommission({
      ...this.#place(),
      ...{ metadata, logger },
      isController: () => host.group(metadataGroupId)?.isSettledLeader ?? false,
    });
    this.#work.every(decommissionCheckMs, () => decommission.check(), "cannot move replicas away");
    this.#work.every(quorumLookMs, () => this.quorum.look(), "cannot look at the metadata group");
  }

  /** Does nothing of itself any more. */
  stop(): void {
    this.#work.stop();
  }

  /** Clients find the next leaders while this node still tells them where those are. */
  async handOverAll(): Promise<void> {
    const { host, metadata, member, clock } = this.#options;
    if (!member) return;
    const mayLead = (nodeId: number) => isActive(metadata.image, nodeId) && !this.#fullDisks.has(nodeId);
    await handOverAll(host.groups(), { ...this.#place(), mayLead, clock, limitMs: handOverMsMax });
  }

  #place() {
    const { config, isReachable } = this.#options;
    return { nodeId: config.nodeId, isReachable };
  }
}
