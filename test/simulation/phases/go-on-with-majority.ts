import {
  disableNodes,
  disturbances,
  isCalm,
  ledTermsOf,
  placesOf,
  probeTasks,
  termsOf,
} from "../cluster/majority.ts";
import type { SimulatedNode } from "../cluster/node.ts";
import type { Run } from "../run.ts";

/** Virtual time in which a node that came back would have disturbed the others. */
const settleUs = 3_000_000;

/** A majority is well, the others are not: all partitions must take batches, and nobody is disturbed by who comes back. */
export async function goOnWithMajority(run: Run): Promise<boolean> {
  const { plan, cluster } = run;
  const { majority, clients } = plan;
  if (!majority) return true;
  const nodes = cluster.all;
  const others = nodes.filter(({ host }) => majority.others.includes(host));
  const well = nodes.filter((node) => !others.includes(node));
  const far = [...well, ...(majority.withClients ? clients.map(({ name }) => ({ host: name })) : [])];
  const terms = termsOf(others);
  const heal = disableNodes(others, {
    state: majority.state,
    far: far.map(({ host }) => host),
    links: run.world.network.links,
  });
  const isLive = await probe(run, well);
  const before = { led: ledTermsOf(well), places: placesOf(nodes) };
  heal();
  if (!isLive || !isCalm(plan)) return isLive;
  const areBack = await run.until("the others are back", () => {
    cluster.startDown();
    return cluster.isServing;
  });
  await run.pass(settleUs);
  for (const violation of disturbances(before, terms, nodes)) run.violate(violation);
  return areBack;
}

/** Every partition takes a batch, and readers see all that was acknowledged. */
async function probe(run: Run, well: readonly SimulatedNode[]): Promise<boolean> {
  const { plan, clients } = run;
  const prober = clients.make({
    ...{ kind: "producer", name: "prober", isIdempotent: true, acks: -1, inFlightMax: 1, retries: true },
    ...{ deliveryTimeoutMs: plan.livenessMs, compression: "none", tasks: probeTasks(plan.topics) },
  });
  const readers = clients.ofKinds("reader");
  let isBegun = false;
  return await run.until("a majority goes on without the others", () => {
    for (const node of well) if (node.state === "down") node.start();
    if (!well.every(({ state }) => state === "serving")) return false;
    if (!isBegun) prober.start();
    isBegun = true;
    return prober.hasDoneAll && clients.haveReadAll(readers);
  });
}
