import { ErrorCode } from "#protocol/error-codes.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { expectNone, Unanswered } from "../clients/client-connection.ts";
import type { ClusterClient } from "../clients/cluster-client.ts";
import type { TopicPlan } from "../plan/plan.ts";
import type { Run } from "../run.ts";

/** Virtual time in which a cluster that is up makes its topics. */
const setupUsMax = 60_000_000;

/** Starts all nodes and makes the topics. */
export async function setUp(run: Run): Promise<boolean> {
  run.cluster.startDown();
  const isUp = await run.until("all nodes serve", () => run.cluster.isServing);
  if (!isUp) return false;
  const client = run.clients.connect("setup");
  const never = () => false;
  return await run.within(setupUsMax, "setup", async () => {
    for (const topic of run.plan.topics) await client.persist(() => createTopic(client, topic), never);
    client.close();
  });
}

async function createTopic(client: ClusterClient, topic: TopicPlan): Promise<void> {
  const configs = Object.entries(topic.configs).map(([name, value]) => ({ name, value }));
  const spec = { name: topic.name, numPartitions: topic.partitions, replicationFactor: -1, assignments: [] };
  const request = { topics: [{ ...spec, configs }], timeoutMs: 5_000 };
  const answer = await client.ask(CreateTopics, request, { min: 4 });
  const errorCode = answer.topics[0]?.errorCode ?? ErrorCode.unknownServerError;
  // Not every node has heard of every other yet.
  if (errorCode === ErrorCode.invalidReplicationFactor) throw new Unanswered("refused");
  if (errorCode !== ErrorCode.topicAlreadyExists) expectNone(errorCode);
}
