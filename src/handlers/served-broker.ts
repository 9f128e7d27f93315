import type { Reassignments } from "../cluster/admin/reassignments.ts";
import type { TopicAdmin } from "../cluster/admin/topic-admin.ts";
import type { ClusterOperations } from "../cluster/cluster-operations.ts";
import type { LeaderDirectory } from "../cluster/leaders/leader-directory.ts";
import type { MetadataStore } from "../cluster/metadata/metadata-store.ts";
import type { ProducerIds } from "../cluster/metadata/producer-ids.ts";
import type { ReadReplicas } from "../cluster/replicas/read-replicas.ts";
import type { BrokerConfig } from "../config/broker-config.ts";
import type { BrokerLayers } from "../config/effective-values.ts";
import type { GroupCoordinator } from "../coordinators/groups/group-coordinator.ts";
import type { OffsetsTopic } from "../coordinators/offsets-topic.ts";
import type { PartitionManager } from "../partitions/partition-manager.ts";
import type { ProduceGate } from "../partitions/produce-gate.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { FailureReport } from "./failure-report.ts";

/** The parts of a broker that answer requests: what handlers, and nobody else, see of it. */
export interface ServedBroker extends FailureReport {
  readonly clock: Clock;
  /** The configs in force, changes at run time included. */
  readonly config: BrokerConfig;
  readonly metadata: MetadataStore;
  /** What other nodes lead. */
  readonly leaders: LeaderDirectory;
  /** What operators ask of the cluster. */
  readonly operations: ClusterOperations;
  readonly partitions: PartitionManager;
  /** Where else consumers may read. */
  readonly readReplicas: ReadReplicas;
  readonly topics: TopicAdmin;
  readonly reassignments: Reassignments;
  readonly producerIds: ProducerIds;
  readonly groupLog: OffsetsTopic;
  readonly groups: GroupCoordinator;
  readonly gate: ProduceGate;
  readonly telemetry: Telemetry;
  /** A broker to bring administrative requests to: the one that leads the metadata group, where that is known. */
  readonly controllerId: number;
  configLayers(): BrokerLayers;
  /** Bytes that can still be written where the data lies. */
  freeDiskBytes(): Promise<number>;
  totalDiskBytes(): Promise<number>;
}
