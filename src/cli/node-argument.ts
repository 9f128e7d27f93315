import type { Arguments } from "./arguments.ts";
import { UsageError } from "./failure.ts";

const nodeIdMax = 2 ** 31 - 1;

/** The node of `--node`. @throws UsageError where none is named */
export function nodeOf(given: Arguments): number {
  const nodeId = given.integer("node", { min: 0, max: nodeIdMax });
  if (nodeId === undefined) throw new UsageError("Cannot tell which node is meant: use --node ID");
  return nodeId;
}
