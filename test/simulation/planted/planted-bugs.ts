import { clusterBugs } from "./cluster-bugs.ts";
import { diskBugs } from "./disk-bugs.ts";
import { failoverBugs } from "./failover-bugs.ts";
import { partitionBugs } from "./partition-bugs.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { raftBugs } from "./raft-bugs.ts";
import type { SourceBug } from "./source-bug.ts";

/** Bugs that one node shows, put into its classes while it runs. */
export const classBugs: readonly PlantedBug[] = [...diskBugs, ...partitionBugs, ...clusterBugs];

/** Bugs that only several nodes show, put into the sources as they are loaded. */
export const sourceBugs: readonly SourceBug[] = [...raftBugs, ...failoverBugs];
