import type { RaftCounts } from "#raft/host/raft-host.ts";
import type { BatchCache } from "#storage/cache/batch-cache.ts";
import type { Journal } from "#storage/journal/journal.ts";
import type { DirtyBudget } from "#storage/log/dirty-budget.ts";
import type { MetadataImage } from "../cluster/metadata/metadata-image.ts";
import type { BrokerConfig } from "../config/broker-config.ts";
import type { ClassicGroup } from "../coordinators/groups/group.ts";
import type { Partition } from "../partitions/partition.ts";
import type { ProduceGate } from "../partitions/produce-gate.ts";
import type { ProcessUsage } from "../runtime/process-meter.ts";
import type { ConnectionCounts } from "../server/connection-counts.ts";
import type { Telemetry } from "./telemetry.ts";

/** recovering: brings its data back · serving: clients are served · stopping: answers what is under way. */
export type BrokerPhase = "recovering" | "serving" | "stopping";

/** The parts of a broker that metrics are read off, at the time of one scrape. */
export interface MetricSources {
  readonly telemetry: Telemetry;
  readonly phase: BrokerPhase;
  readonly uptimeMs: number;
  readonly detail: BrokerConfig["metricsDetail"];
  readonly image: MetadataImage;
  readonly partitions: {
    all(): Iterable<Partition>;
    find(topic: string, index: number): Partition | undefined;
  };
  readonly groups: { groups(): Iterable<ClassicGroup> };
  readonly server: {
    readonly counts: ConnectionCounts;
    connectionsByListener(): ReadonlyMap<string, number>;
    readonly requestsHeld: { readonly count: number; readonly sizeBytes: number };
  };
  readonly gate: Pick<ProduceGate, "isBlocked" | "isClosed" | "counts">;
  readonly journal: Pick<Journal, "written" | "usedBytes" | "stagedBytes" | "isUnderPressure">;
  readonly dirty: Pick<DirtyBudget, "bytes" | "bytesMax">;
  readonly cache: Pick<BatchCache, "sizeBytes" | "bytesMax">;
  readonly proposedBytes: number;
  readonly raft: RaftCounts;
  /** Undefined where it could not be told. */
  readonly freeDiskBytes: number | undefined;
  /** Undefined in a simulated broker. */
  readonly process: ProcessUsage | undefined;
}
