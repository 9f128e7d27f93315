import { commitOffsets } from "#src/cli/client/group-offsets.ts";
import { PartitionLeaders } from "#src/cli/client/partition-leaders.ts";
import { PartitionReader } from "#src/cli/client/partition-reader.ts";
import { Producer } from "#src/cli/client/producer.ts";
import type { Address } from "../load/load-connection.ts";
import { connectCluster, createTopic, deleteTopic, pause } from "./soak-client.ts";

const partitionCount = 3;
const recordCount = 90;
const batchBytes = 4096;
const readMsMax = 60_000;

/** The beginning of the names, and of their directories. */
export const passingPrefix = "passing-";

export interface PassingTopicOptions {
  readonly address: Address;
  readonly number: number;
  readonly staysMs: number;
}

/**
 * One topic's whole life: created, written by a producer of its own, read, committed by a group of its own, and
 * deleted. @throws Error when a record is missing
 */
export async function passTopic({ address, number, staysMs }: PassingTopicOptions): Promise<void> {
  const name = `${passingPrefix}${number}`;
  using cluster = await connectCluster(address, "soak-passing");
  await createTopic(cluster, { name, partitions: partitionCount, configs: {} });
  const leaders = new PartitionLeaders(cluster);
  await cluster.retry(() => leaders.learn([name]));

  const producer = await Producer.open(cluster, leaders, {
    topic: name,
    acks: -1,
    compression: number % 2 === 0 ? "none" : "lz4",
    isIdempotent: true,
    batchBytes,
  });
  for (let record = 0; record < recordCount; record++) {
    const value = Buffer.from(`record ${record} of ${name}`);
    await producer.send({ timestampMs: Date.now(), key: Buffer.from(String(record)), value });
  }
  await producer.flush();

  const reader = new PartitionReader(cluster, leaders, { isCommittedOnly: true, onOutOfRange: "fail" });
  reader.assign(leaders.partitionsOf(name).map((partition) => ({ topic: name, partition, offset: 0 })));
  let readCount = 0;
  const giveUpMs = performance.now() + readMsMax;
  while (readCount < recordCount && performance.now() < giveUpMs) {
    readCount += (await reader.poll(recordCount)).length;
  }
  if (readCount !== recordCount) {
    throw new Error(`Cannot read "${name}": ${readCount} records of ${recordCount}`);
  }
  const outsider = { groupId: `passers-by-${number}`, generationId: -1, memberId: "" };
  await commitOffsets(cluster, outsider, reader.positions);
  await pause(staysMs);
  await deleteTopic(cluster, name);
}
