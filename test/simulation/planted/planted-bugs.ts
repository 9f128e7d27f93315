import { clusterBugs } from "./cluster-bugs.ts";
import { diskBugs } from "./disk-bugs.ts";
import { partitionBugs } from "./partition-bugs.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** Every bug that can be planted. */
export const plantedBugs: readonly PlantedBug[] = [...diskBugs, ...partitionBugs, ...clusterBugs];
