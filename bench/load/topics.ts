import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode } from "#protocol/error-codes.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import type { LoadConnection } from "./load-connection.ts";

const waitMsMax = 60_000;
const pollMs = 50;

/**
 * Creates a topic, unless it is there, and waits until all its partitions answer.
 *
 * That metadata names a leader is not enough: Apache Kafka's leader learns a little later that it is one.
 * @throws Error
 */
export async function ensureTopic(
  connection: LoadConnection,
  topic: string,
  partitions: number,
): Promise<void> {
  const created = await connection.request(CreateTopics, 5, {
    topics: [{ name: topic, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: waitMsMax,
    validateOnly: false,
  });
  const code = created.topics[0]?.errorCode;
  if (code !== ErrorCode.none && code !== ErrorCode.topicAlreadyExists) {
    throw new Error(`Cannot create topic "${topic}": error ${code}`);
  }
  for (let waitedMs = 0; waitedMs < waitMsMax; waitedMs += pollMs) {
    const ends = await askEndOffsets(connection, topic, partitions);
    if (ends.every(({ errorCode }) => errorCode === ErrorCode.none)) return;
    await sleep(pollMs);
  }
  throw new Error(`Cannot use topic "${topic}": its partitions have no leaders`);
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
  connection: LoadConnection,
  topic: string,
  partitions: number,
): Promise<number[]> {
  const ends: number[] = Array.from({ length: partitions }, () => 0);
  for (const { partitionIndex, errorCode, offset } of await askEndOffsets(connection, topic, partitions)) {
    if (errorCode !== ErrorCode.none) throw new Error(`Cannot ask for the end of "${topic}": ${errorCode}`);
    ends[partitionIndex] = offset;
  }
  return ends;
}

async function askEndOffsets(connection: LoadConnection, topic: string, partitions: number) {
  const latest = -1;
  const indexes = Array.from({ length: partitions }, (_, partitionIndex) => partitionIndex);
  const answer = await connection.request(ListOffsets, 5, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [
      { name: topic, partitions: indexes.map((partitionIndex) => ({ partitionIndex, timestamp: latest })) },
    ],
  });
  return answer.topics[0]?.partitions ?? [];
}
