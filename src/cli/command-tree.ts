import type { CommandTree } from "./command-lookup.ts";
import { cluster } from "./tree/cluster.ts";
import { groups } from "./tree/groups.ts";
import { completion, dumpLog, start } from "./tree/node.ts";
import { consume, produce } from "./tree/records.ts";
import { topics } from "./tree/topics.ts";

/** All that `millrace` can do. */
export const commandTree: CommandTree = [
  start,
  topics,
  produce,
  consume,
  groups,
  cluster,
  dumpLog,
  completion,
];
