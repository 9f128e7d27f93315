import { ErrorCode } from "#protocol/error-codes.ts";
import { AlterPartitionReassignments } from "#protocol/messages/alter-partition-reassignments.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { expectNone } from "./client-connection.ts";
import type { ClusterClient, TopicPartition } from "./cluster-client.ts";

/** Moves a partition to other nodes; an empty list takes back a move that is under way. */
export interface ReassignTask extends TopicPartition {
  readonly kind: "reassign";
  readonly atMs: number;
  readonly replicas: readonly number[];
}

/** How often it looks whether a move is complete, and how long it waits in between. */
const looksMax = 20;
const lookEveryMs = 200;

/** Asks for a move, and waits a while to see it done. @throws Unanswered, Refused */
export async function reassign(client: ClusterClient, task: ReassignTask): Promise<void> {
  const { topic, partition, replicas } = task;
  const wanted = replicas.length === 0 ? null : [...replicas];
  const { errorCode, responses } = await client.ask(AlterPartitionReassignments, {
    timeoutMs: 3_000,
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, replicas: wanted }] }],
  });
  expectNone(errorCode);
  expectNone(responses[0]?.partitions[0]?.errorCode ?? ErrorCode.unknownServerError);
  for (let look = 0; look < looksMax && replicas.length > 0; look++) {
    const { topics } = await client.ask(
      Metadata,
      { topics: [{ name: topic }], allowAutoTopicCreation: false },
      { min: 4 },
    );
    const now = topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === partition);
    if (now?.replicaNodes.join() === replicas.join()) {
      client.options.marks.reach("partition moved to another node");
      return;
    }
    await client.options.clock.sleep(lookEveryMs);
  }
}
