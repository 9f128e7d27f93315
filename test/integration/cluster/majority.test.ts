import { expect, test } from "vitest";
import { ErrorCode, isRetriable } from "#protocol/error-codes.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { OffsetForLeaderEpoch } from "#protocol/messages/offset-for-leader-epoch.ts";
import { readBatchHeader } from "#protocol/records/batch.ts";
import { ask } from "../ask.ts";
import { withAdmin } from "../kafkajs/kafkajs-client.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { connectTo } from "./cluster-admin.ts";
import { shareThreeNodes } from "./shared-nodes.ts";
import type { ClusterNode } from "./three-nodes.ts";

const cluster = shareThreeNodes();

async function placeOf(node: ClusterNode, topic: string) {
  const request = { topics: [{ name: topic }], allowAutoTopicCreation: false };
  const answer = await ask(node.address, Metadata, { version: 9, request });
  const [partition] = answer.topics[0]?.partitions ?? [];
  if (!partition) throw new Error(`Cannot see ${topic}`);
  return partition;
}

const firstOffset = -2;
const lastOffset = -1;

async function offsetAt(node: ClusterNode, topic: string, timestamp: number) {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }];
  const request = { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions }] };
  const { topics } = await ask(node.address, ListOffsets, { version: 6, request });
  return topics[0]?.partitions[0];
}

async function fetchAt(node: ClusterNode, topic: string, fetchOffset: number) {
  const partition = { partition: 0, fetchOffset, currentLeaderEpoch: -1, partitionMaxBytes: 1 << 20 };
  const request = {
    ...{ maxWaitMs: 0, minBytes: 0, maxBytes: 1 << 20, isolationLevel: 0, sessionId: 0, sessionEpoch: -1 },
    ...{ forgottenTopicsData: [], rackId: "" },
    topics: [{ topic, partitions: [{ ...partition, lastFetchedEpoch: -1, logStartOffset: -1 }] }],
  };
  const { responses } = await ask(node.address, Fetch, { version: 12, request });
  const [answer] = responses?.[0]?.partitions ?? [];
  if (!answer) throw new Error(`Cannot fetch from ${topic}`);
  return answer;
}

/** Reads on from an offset as a consumer does; answers where the next batch would begin. */
async function readFrom(node: ClusterNode, topic: string, offset: number): Promise<number> {
  for (let next = offset; ; ) {
    const { errorCode, records } = await fetchAt(node, topic, next);
    // Who has nothing more to give sends its readers on, to where others may have gone on.
    if (errorCode === ErrorCode.notLeaderOrFollower) return next;
    expect(errorCode).toBe(ErrorCode.none);
    const bytes = Buffer.concat([records ?? []].flat());
    if (bytes.length === 0) return next;
    for (let at = 0; at < bytes.length; ) {
      const header = readBatchHeader(bytes, at);
      next = header.nextOffset;
      at += header.sizeBytes;
    }
  }
}

test("without a majority nothing is acknowledged, what is committed is read, and nothing is lost when it is back", async () => {
  const kafka = connectTo(cluster);
  const topic = uniqueName("majority");
  await withAdmin(kafka, (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 3 }] }),
  );
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (let count = 0; count < 50; count++) {
    await producer.send({ topic, acks: -1, messages: [{ value: `before ${count}` }] });
  }
  await producer.disconnect();

  // The one that stays has not led, and knows of the end only what it was told.
  const [first] = cluster.nodes;
  const { leaderId } = await placeOf(first as ClusterNode, topic);
  const stays = cluster.nodes.find(({ nodeId }) => nodeId !== leaderId) as ClusterNode;
  const gone = cluster.nodes.filter((node) => node !== stays);
  await waitUntil("the end there", async () => {
    const { highWatermark } = await fetchAt(cluster.node(leaderId), topic, 0);
    return highWatermark === 50;
  });
  await Promise.all(gone.map((node) => node.kill()));

  const impatient = connectTo(cluster, [stays.address]).producer({ retry: { retries: 0 } });
  await impatient.connect();
  const startedMs = performance.now();
  const refusal: unknown = await impatient
    .send({ topic, acks: -1, timeout: 3_000, messages: [{ value: "never acknowledged" }] })
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(refusal).toMatchObject({ retriable: expect.anything() });
  // The bound is the request's own and that of who waits for it: a hang is what must not be.
  expect(performance.now() - startedMs).toBeLessThan(30_000);
  await impatient.disconnect();

  await waitUntil("a place to read from", async () => {
    const { errorCode, leaderId: shown } = await placeOf(stays, topic);
    return errorCode === ErrorCode.none && shown === stays.nodeId;
  });
  expect(await offsetAt(stays, topic, firstOffset)).toMatchObject({ errorCode: ErrorCode.none, offset: 0 });
  expect(await readFrom(stays, topic, 0)).toBeGreaterThan(40);
  // What is not known here is not said to be wrong: readers would begin anew.
  const beyond = await fetchAt(stays, topic, 1_000);
  expect([beyond.errorCode, isRetriable(beyond.errorCode)]).toEqual([ErrorCode.offsetNotAvailable, true]);
  const latest = await offsetAt(stays, topic, lastOffset);
  expect(latest?.errorCode).toBe(ErrorCode.offsetNotAvailable);
  const { leaderEpoch } = await placeOf(stays, topic);
  const { topics } = await ask(stays.address, OffsetForLeaderEpoch, {
    version: 4,
    request: {
      replicaId: -1,
      topics: [{ topic, partitions: [{ partition: 0, currentLeaderEpoch: leaderEpoch, leaderEpoch }] }],
    },
  });
  expect(topics[0]?.partitions[0]).toMatchObject({ errorCode: ErrorCode.none, leaderEpoch });
  expect(topics[0]?.partitions[0]?.endOffset).toBeGreaterThanOrEqual(50);

  for (const node of gone) node.start();
  await Promise.all(gone.map((node) => node.untilServing()));
  const again = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await again.connect();
  const [written] = await again.send({ topic, acks: -1, messages: [{ value: "after" }] });
  await again.disconnect();
  const end = Number(written?.baseOffset) + 1;
  expect(end).toBeGreaterThanOrEqual(51);
  const leader = cluster.node((await placeOf(stays, topic)).leaderId);
  expect(await readFrom(leader, topic, 0)).toBe(end);
});
