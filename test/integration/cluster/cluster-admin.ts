import kafkajs, { type Kafka } from "kafkajs";
import { withAdmin } from "../kafkajs/kafkajs-client.ts";
import type { ThreeNodes } from "./three-nodes.ts";

const { Kafka: KafkaClient, logLevel } = kafkajs;

/** A client that is patient with nodes that come and go, unless told to ask less often. */
export function connectTo(
  cluster: Pick<ThreeNodes, "bootstrapServers">,
  brokers = cluster.bootstrapServers,
  retries = 60,
): Kafka {
  return new KafkaClient({
    clientId: "cluster-test",
    brokers,
    logLevel: logLevel.NOTHING,
    connectionTimeout: 500,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries },
  });
}

/** Leaders by partition, -1 for none. */
export async function leadersOf(kafka: Kafka, topic: string): Promise<number[]> {
  const { topics } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
  const partitions = topics[0]?.partitions ?? [];
  return partitions.toSorted((a, b) => a.partitionId - b.partitionId).map(({ leader }) => leader);
}
