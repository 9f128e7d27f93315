import { areReplicasLevel, compareProducers } from "../cluster/compare-replicas.ts";
import type { Run } from "../run.ts";

/** Virtual time in which replicas that have everything are done with it. */
const settleUs = 5_000_000;

/** The phase after the faults: whatever was begun must come to its end. */
export async function beLive(run: Run): Promise<boolean> {
  const { cluster, clients } = run;
  const writers = clients.ofKinds("producer", "admin");
  for (const writer of writers) writer.stop();
  const isWritten = await run.until("everything sent is answered", () => {
    cluster.startDown();
    return cluster.isServing && writers.every(({ isIdle }) => isIdle);
  });
  const readers = clients.ofKinds("reader", "member");
  for (const { reading } of readers) reading?.fetcher.forgetEnds();
  const isAtEnd = await run.until("readers and groups have read everything", () =>
    clients.haveReadAll(readers),
  );
  for (const reader of readers) reader.stop();
  const isRead = await run.until("readers stop", () => readers.every(({ isIdle }) => isIdle));
  return isWritten && isAtEnd && isRead && (await levelOut(run));
}

/** Nothing more is sent: whoever is behind must find out by itself. */
async function levelOut(run: Run): Promise<boolean> {
  const nodes = run.cluster.all;
  if (nodes.length === 1) return true;
  const isLevel = await run.until("all replicas have everything", () => areReplicasLevel(nodes));
  // One that has begun anew is level before it has removed its old files, and knows of producers after that.
  if (isLevel && compareProducers(nodes).length > 0) {
    await run.pass(settleUs);
    for (const violation of compareProducers(nodes)) run.violate(violation);
  }
  return isLevel;
}
