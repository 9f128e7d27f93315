import { readConfig, readTopicExistence } from "../clients/admin.ts";
import type { TopicPartition } from "../clients/cluster-client.ts";
import { finalReaderName, readEverything } from "../clients/final-reader.ts";
import type { Run } from "../run.ts";

/** Takes the power from all nodes and reads what is left: everything that was promised. */
export async function readAll(run: Run): Promise<boolean> {
  const { plan, clients } = run;
  for (const node of run.cluster.all) {
    node.crash("drop", { isPowerLost: true });
    node.start();
  }
  const client = clients.connect(finalReaderName);
  const partitions = plan.topics.flatMap(({ name: topic, partitions: count }) =>
    Array.from({ length: count }, (_, partition): TopicPartition => ({ topic, partition })),
  );
  const retained = new Set(
    plan.topics.filter(({ configs }) => configs["retention.ms"] !== undefined).map(({ name }) => name),
  );
  const mayExpire = (topic: string) => retained.has(topic);
  const never = () => false;
  // A node that starts learns all that was committed before it serves.
  const fresh = { isFresh: true };
  return await run.within(plan.livenessMs * 1_000, "the final reading", async () => {
    await readEverything(client, partitions, { trims: clients.trims, mayExpire });
    for (const { name } of plan.topics) await client.persist(() => readConfig(client, name, fresh), never);
    await client.persist(() => readTopicExistence(client, "fleeting", fresh), never);
    client.close();
  });
}
