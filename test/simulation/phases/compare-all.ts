import { areReplicasLevel, compareReplicas } from "../cluster/compare-replicas.ts";
import type { Run } from "../run.ts";

/** Virtual time in which all replicas are read. */
const comparisonUsMax = 60_000_000;

/** Once all is quiet, replicas hold the same, byte for byte. */
export async function compareAll(run: Run): Promise<boolean> {
  const nodes = run.cluster.all;
  if (nodes.length === 1) return true;
  const isLevel = await run.until("replicas are level", () => areReplicasLevel(nodes));
  if (!isLevel) return false;
  return await run.within(comparisonUsMax, "the comparison of replicas", async () => {
    for (const violation of await compareReplicas(nodes)) run.violate(violation);
  });
}
