import { setTimeout as sleep } from "node:timers/promises";
import type { BenchCluster } from "./bench-cluster.ts";
import { ClusterClient, type PartitionState } from "./cluster-client.ts";
import { SteadyWriter } from "./steady-writer.ts";

export interface MeasureOptions {
  readonly cluster: BenchCluster;
  readonly count: number;
  readonly onResult: (ms: number) => void;
}

const retryMs = 5;
const settleMs = 300;
/** What follows the end of a node that stopped belongs to its stop. */
const afterStopMs = 500;

/** kill -9 of a partition's leader: from the kill to the next acknowledged record. */
export async function measureKills({ cluster, count, onResult }: MeasureOptions): Promise<void> {
  await withWriter(cluster, "killed", async (client, writer) => {
    for (let kill = 0; kill < count; kill++) {
      const { nodeId } = await writer.next();
      const node = cluster.node(nodeId);
      await sleep(Math.random() * 200);
      node.kill("SIGKILL");
      const killedMs = performance.now();
      let next = await writer.next();
      // What the killed node had answered before it died may come in yet.
      while (next.nodeId === nodeId) next = await writer.next();
      onResult(next.atMs - killedMs);
      await node.ended();
      await node.start();
      await client.untilWhole("killed");
      await sleep(settleMs);
    }
  });
}

/** A leader that stops in order: the longest time without an acknowledged record. */
export async function measureStops({ cluster, count, onResult }: MeasureOptions): Promise<void> {
  await withWriter(cluster, "stopped", async (client, writer) => {
    for (let stop = 0; stop < count; stop++) {
      const { nodeId } = await writer.next();
      const node = cluster.node(nodeId);
      writer.take();
      node.kill("SIGTERM");
      await node.ended();
      await sleep(afterStopMs);
      const times = writer.take().map(({ atMs }) => atMs);
      const gaps = times.slice(1).map((atMs, at) => atMs - (times[at] ?? atMs));
      onResult(Math.max(...gaps));
      await node.start();
      await client.untilWhole("stopped");
      await sleep(settleMs);
    }
  });
}

/** SIGSTOP of a partition's leader, whose connections stay open: until the others have acknowledged a record. */
export async function measurePauses({ cluster, count, onResult }: MeasureOptions): Promise<void> {
  const topic = "paused";
  await using client = new ClusterClient(cluster.nodes);
  await client.createTopic(topic, 1);
  for (let pause = 0; pause < count; pause++) {
    await client.untilWhole(topic);
    await sleep(settleMs);
    const [state] = await client.partitions(1, topic);
    const node = cluster.node(state?.leader ?? 1);
    await sleep(Math.random() * 200);
    node.kill("SIGSTOP");
    const stoppedMs = performance.now();
    await writeToAll(client, { topic, partitionCount: 1, asked: othersThan(node.nodeId, client) });
    onResult(performance.now() - stoppedMs);
    node.kill("SIGCONT");
  }
}

/** kill -9 of one node of a topic of many partitions: until each has acknowledged a record after the kill. */
export async function measureManyPartitions(
  { cluster, count, onResult }: MeasureOptions,
  partitionCount: number,
): Promise<void> {
  const topic = `many-${partitionCount}`;
  await using client = new ClusterClient(cluster.nodes);
  await client.createTopic(topic, partitionCount);
  for (let kill = 0; kill < count; kill++) {
    await client.untilWhole(topic);
    await sleep(settleMs);
    const node = cluster.node(client.nodeIds[kill % client.nodeIds.length] ?? 1);
    node.kill("SIGKILL");
    const killedMs = performance.now();
    await writeToAll(client, { topic, partitionCount, asked: othersThan(node.nodeId, client) });
    onResult(performance.now() - killedMs);
    await node.ended();
    await node.start();
  }
}

function othersThan(nodeId: number, { nodeIds }: ClusterClient): number[] {
  return nodeIds.filter((other) => other !== nodeId);
}

async function withWriter(
  cluster: BenchCluster,
  topic: string,
  measure: (client: ClusterClient, writer: SteadyWriter) => Promise<void>,
): Promise<void> {
  await using client = new ClusterClient(cluster.nodes);
  await client.createTopic(topic, 1);
  await client.untilWhole(topic);
  const writer = new SteadyWriter(client, topic);
  try {
    await measure(client, writer);
  } finally {
    await writer.stop();
  }
}

/** Resolves when every partition has acknowledged a record. */
async function writeToAll(
  client: ClusterClient,
  { topic, partitionCount, asked }: { topic: string; partitionCount: number; asked: readonly number[] },
): Promise<void> {
  const missing = new Set(Array.from({ length: partitionCount }, (_, partition) => partition));
  for (let round = 0; missing.size > 0; round++) {
    const states = await client.partitions(asked[round % asked.length] ?? 1, topic).catch(() => []);
    const open = states.filter(({ partition, leader }) => missing.has(partition) && asked.includes(leader));
    const taken = await Promise.all(
      Array.from(
        Map.groupBy(open, ({ leader }: PartitionState) => leader),
        ([leader, led]) =>
          client
            .produce(
              leader,
              topic,
              led.map(({ partition }) => partition),
            )
            .catch(() => []),
      ),
    );
    for (const partition of taken.flat()) missing.delete(partition);
    if (missing.size > 0) await sleep(retryMs);
  }
}
