import { expect, test } from "vitest";
import { ApiKey } from "#protocol/api-keys.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import { decodeResponseFrame } from "#protocol/frame.ts";
import { ApiVersions } from "#protocol/messages/api-versions.ts";
import { DescribeCluster } from "#protocol/messages/describe-cluster.ts";
import { DescribeLogDirs } from "#protocol/messages/describe-log-dirs.ts";
import { DescribeProducers } from "#protocol/messages/describe-producers.ts";
import { FindCoordinator } from "#protocol/messages/find-coordinator.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { routes } from "#src/handlers/routes.ts";
import { Router, UnsupportedRequestError } from "#src/server/router.ts";
import { BrokerWorld, batchOf } from "../broker-world.ts";

const client = { clientSoftwareName: "test", clientSoftwareVersion: "1.0" };

/** A request's header as clients write it, with nothing behind it. */
function header(apiKey: number, apiVersion: number): Buffer {
  const bytes = Buffer.alloc(11);
  bytes.writeInt16BE(apiKey, 0);
  bytes.writeInt16BE(apiVersion, 2);
  bytes.writeInt32BE(77, 4);
  bytes.writeInt16BE(-1, 8);
  return bytes;
}

test("ApiVersions tells every route, and Produce and JoinGroup from 0 on (traps 6 and 7)", async () => {
  await using world = await BrokerWorld.start();
  const { errorCode, apiKeys, finalizedFeaturesEpoch } = await world.call(ApiVersions, 4, client);
  expect(errorCode).toBe(0);
  expect(apiKeys.map(({ apiKey }) => apiKey).sort()).toEqual([...routes.keys()].sort());
  for (const key of [ApiKey.produce, ApiKey.joinGroup]) {
    expect(apiKeys.find(({ apiKey }) => apiKey === key)?.minVersion).toBe(0);
  }
  expect(finalizedFeaturesEpoch).toBe(-1);
});

test("a version of ApiVersions from the future is answered in version 0 with the list (trap 1)", async () => {
  await using world = await BrokerWorld.start();
  const answer = await new Router(world.broker).answer(header(ApiKey.apiVersions, 99), world.connection);
  const frame = Buffer.concat((answer ?? []).map((chunk) => Buffer.from(chunk))).subarray(4);
  const { correlationId, response } = decodeResponseFrame(frame, { api: ApiVersions, version: 0 });
  expect([correlationId, response.errorCode]).toEqual([77, ErrorCode.unsupportedVersion]);
  expect(response.apiKeys).toContainEqual({ apiKey: 18, minVersion: 0, maxVersion: 4 });
});

test("a client that does not name itself properly is told so", async () => {
  await using world = await BrokerWorld.start();
  for (const clientSoftwareName of ["", "a b", "-a"]) {
    const { errorCode } = await world.call(ApiVersions, 3, { ...client, clientSoftwareName });
    expect(errorCode).toBe(ErrorCode.invalidRequest);
  }
});

test.each([
  ["an API that nobody knows", 9_999, 0],
  ["an API that is not served", ApiKey.endTxn, 0],
  ["a version that is too new", ApiKey.metadata, 99],
  ["a version that is advertised for compatibility only", ApiKey.produce, 2],
  ["a negative version", ApiKey.metadata, -1],
])("%s closes the connection (trap 9)", async (_what, apiKey, apiVersion) => {
  await using world = await BrokerWorld.start();
  const router = new Router(world.broker);
  expect(() => router.answer(header(apiKey, apiVersion), world.connection)).toThrow(UnsupportedRequestError);
});

test("a truncated request is malformed, and no more than that (trap 69)", async () => {
  await using world = await BrokerWorld.start();
  const router = new Router(world.broker);
  for (const size of [0, 1, 3, 9, 10]) {
    const frame = header(ApiKey.metadata, 9).subarray(0, size);
    expect(router.carriesRecords(frame)).toBe(false);
    expect(() => router.answer(frame, world.connection)).toThrow(/Cannot/);
  }
});

test("coordinators are found one by one or in a list, and their topic is made (trap 48)", async () => {
  await using world = await BrokerWorld.start();
  const single = await world.call(FindCoordinator, 2, { key: "g", keyType: 0 });
  expect(single).toMatchObject({ errorCode: 0, nodeId: 1, host: "127.0.0.1", port: 9092 });
  expect(world.broker.metadata.image.topics.get("__consumer_offsets")?.isInternal).toBe(true);
  const { coordinators } = await world.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ["g", "h"] });
  expect(coordinators).toMatchObject([
    { key: "g", nodeId: 1, errorCode: 0 },
    { key: "h", nodeId: 1, errorCode: 0 },
  ]);
});

test("there are no transaction coordinators yet, and nobody is made to wait for one", async () => {
  await using world = await BrokerWorld.start();
  expect((await world.call(FindCoordinator, 2, { key: "tx", keyType: 1 })).errorCode).toBe(
    ErrorCode.invalidRequest,
  );
  const request = { transactionalId: "tx", transactionTimeoutMs: 1_000 };
  expect((await world.call(InitProducerId, 4, request)).errorCode).toBe(ErrorCode.invalidRequest);
});

test("a producer gets an id at epoch 0, a new one in place of its old one, and half an identity is refused", async () => {
  await using world = await BrokerWorld.start();
  const ask = (producerId: number, producerEpoch: number) =>
    world.call(InitProducerId, 4, {
      transactionalId: null,
      transactionTimeoutMs: 1,
      producerId,
      producerEpoch,
    });
  const first = await ask(-1, -1);
  expect(first).toMatchObject({ errorCode: 0, producerEpoch: 0 });
  const second = await ask(first.producerId, first.producerEpoch);
  expect(second).toMatchObject({ errorCode: 0, producerEpoch: 0 });
  expect(second.producerId).not.toBe(first.producerId);
  expect((await ask(5, -1)).errorCode).toBe(ErrorCode.invalidRequest);
});

test("the cluster is described to clients of brokers, and to nobody else (KIP-919)", async () => {
  await using world = await BrokerWorld.start();
  const described = await world.call(DescribeCluster, 1, { endpointType: 1 });
  expect(described).toMatchObject({ errorCode: 0, controllerId: 1, brokers: [{ brokerId: 1, port: 9092 }] });
  const codeOf = async (endpointType: number) =>
    (await world.call(DescribeCluster, 1, { endpointType })).errorCode;
  expect([await codeOf(2), await codeOf(9)]).toEqual([
    ErrorCode.mismatchedEndpointType,
    ErrorCode.unsupportedEndpointType,
  ]);
});

test("log directories tell what each partition holds, of all topics or of those asked for", async () => {
  await using world = await BrokerWorld.start();
  for (const name of ["a", "b"]) await world.createTopic(name, { partitions: 2 });
  await world.clock.until(world.produce("a", batchOf(["x".repeat(500)])));
  const { results } = await world.call(DescribeLogDirs, 4, { topics: null });
  // The disk of the test has no end (KIP-827).
  const disk = { totalBytes: Number.MAX_SAFE_INTEGER, usableBytes: Number.MAX_SAFE_INTEGER };
  expect(results[0]).toMatchObject({ errorCode: 0, logDir: "/data", ...disk });
  expect(results[0]?.topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([
    ["a", 2],
    ["b", 2],
  ]);
  expect(results[0]?.topics[0]?.partitions[0]?.partitionSize).toBeGreaterThan(500);
  const some = await world.call(DescribeLogDirs, 4, { topics: [{ topic: "b", partitions: [1, 7] }] });
  expect(some.results[0]?.topics).toMatchObject([{ name: "b", partitions: [{ partitionIndex: 1 }] }]);
});

test("the producers that a partition remembers are listed (KIP-664)", async () => {
  await using world = await BrokerWorld.start();
  await world.createTopic("t");
  const producer = { producerId: 7, producerEpoch: 2, baseSequence: 0, timestampMs: 1_700_000_000_123 };
  await world.clock.until(world.produce("t", batchOf(["a", "b"], producer)));
  const { topics } = await world.call(DescribeProducers, 0, {
    topics: [{ name: "t", partitionIndexes: [0, 1] }],
  });
  expect(topics[0]?.partitions).toMatchObject([
    {
      errorCode: 0,
      activeProducers: [
        {
          producerId: 7,
          producerEpoch: 2,
          lastSequence: 1,
          lastTimestamp: 1_700_000_000_123,
          currentTxnStartOffset: -1,
        },
      ],
    },
    { errorCode: ErrorCode.unknownTopicOrPartition, activeProducers: [] },
  ]);
});
