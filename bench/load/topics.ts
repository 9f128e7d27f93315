import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode } from "#protocol/error-codes.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import type { LeaderShare, LoadCluster } from "./load-cluster.ts";
import type { LoadConnection } from "./load-connection.ts";

const waitMsMax = 60_000;
const pollMs = 50;

export interface TopicWish {
  readonly name: string;
  readonly partitions: number;
  readonly replicas: number;
}

/**
 * Creates a topic, unless it is there, and answers who leads its partitions once all of them answer.
 *
 * That metadata names a leader is not enough: Apache Kafka's leader learns a little later that it is one.
 * @throws Error
 */
export async function ensureTopic(
  cluster: LoadCluster,
  { name, partitions, replicas }: TopicWish,
): Promise<readonly LeaderShare[]> {
  const created = await cluster.any.request(CreateTopics, 5, {
    topics: [{ name, numPartitions: partitions, replicationFactor: replicas, assignments: [], configs: [] }],
    timeoutMs: waitMsMax,
    validateOnly: false,
  });
  const code = created.topics[0]?.errorCode;
  if (code !== ErrorCode.none && code !== ErrorCode.topicAlreadyExists) {
    throw new Error(`Cannot create topic "${name}": error ${code}`);
  }
  for (let waitedMs = 0; waitedMs < waitMsMax; waitedMs += pollMs) {
    const leaders = await cluster.leaders(name, partitions);
    if (leaders) {
      const ends = await askEndOffsets(cluster, name, leaders);
      if (ends.every(({ errorCode }) => errorCode === ErrorCode.none)) return leaders;
    }
    await sleep(pollMs);
  }
  throw new Error(`Cannot use topic "${name}": its partitions have no leaders`);
}

/** A producer id of its own for a connection, as clients ask for by default. @throws Error */
export async function newProducerId(connection: LoadConnection): Promise<number> {
  for (let waitedMs = 0; waitedMs < waitMsMax; waitedMs += pollMs) {
    const answer = await connection.request(InitProducerId, 3, {
      transactionalId: null,
      transactionTimeoutMs: waitMsMax,
    });
    if (answer.errorCode === ErrorCode.none) return answer.producerId;
    await sleep(pollMs);
  }
  throw new Error("Cannot get a producer id");
}

/** Where each partition of a topic ends, by partition. @throws Error */
export async function endOffsets(
  cluster: LoadCluster,
  topic: string,
  leaders: readonly LeaderShare[],
): Promise<number[]> {
  const ends: number[] = leaders.flatMap(({ partitions }) => partitions.map(() => 0));
  for (const { partitionIndex, errorCode, offset } of await askEndOffsets(cluster, topic, leaders)) {
    if (errorCode !== ErrorCode.none) throw new Error(`Cannot ask for the end of "${topic}": ${errorCode}`);
    ends[partitionIndex] = offset;
  }
  return ends;
}

async function askEndOffsets(cluster: LoadCluster, topic: string, leaders: readonly LeaderShare[]) {
  const latest = -1;
  const answers = await Promise.all(
    leaders.map(async ({ nodeId, partitions }) => {
      const connection = await cluster.admin(nodeId);
      return await connection.request(ListOffsets, 5, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [
          {
            name: topic,
            partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp: latest })),
          },
        ],
      });
    }),
  );
  return answers.flatMap(({ topics }) => topics[0]?.partitions ?? []);
}
