import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import { ApiKey } from "#protocol/api-keys.ts";
import { decodeResponseFrame, encodeRequestFrame } from "#protocol/frame.ts";
import { AlterConfigs } from "#protocol/messages/alter-configs.ts";
import { ApiVersions } from "#protocol/messages/api-versions.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DescribeConfigs } from "#protocol/messages/describe-configs.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { IncrementalAlterConfigs } from "#protocol/messages/incremental-alter-configs.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { Produce } from "#protocol/messages/produce.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { advertisedApis, routes } from "#src/handlers/routes.ts";
import { startBroker } from "#src/index.ts";
import { ask } from "../integration/ask.ts";
import { RawConnection } from "../integration/bad-input/raw-connection.ts";
import {
  compactString,
  frame,
  header,
  int8,
  int32,
  taggedFields,
  unsignedVarint,
} from "../integration/bad-input/wire.ts";
import { uniqueName, useBroker } from "../integration/test-broker.ts";

// What has broken clients on other brokers, where no other test names it. docs/compatibility-traps.md has them all.

const broker = useBroker();
const address = () => broker.bootstrapServers;

const topicResource = 2;
const brokerResource = 4;

async function newTopic(partitions = 1): Promise<string> {
  const name = uniqueName("traps");
  const topics = [{ name, numPartitions: partitions, replicationFactor: 1 }];
  await ask(address(), CreateTopics, { version: 7, request: { topics, timeoutMs: 10_000 } });
  return name;
}

async function produce(topic: string, value: Buffer): Promise<void> {
  const records = buildBatch({ records: [{ timestampMs: 1, key: null, value }] });
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }];
  const request = { acks: -1, timeoutMs: 10_000, topicData };
  await ask(address(), Produce, { version: 9, request });
}

describe("connecting", () => {
  test("ApiVersions has a header without tags and a body with them, for ever (trap 2)", async () => {
    await using connection = await RawConnection.open(address());
    const body = [compactString("trap"), compactString("1"), taggedFields()];
    connection.write(frame(header({ apiKey: 18, apiVersion: 3, correlationId: 7, tags: {} }), ...body));
    const response = await connection.response();
    // Correlation id, error, then at once the compact array: no byte of tags between.
    expect(response.readInt32BE(0)).toBe(7);
    expect(response.readInt16BE(4)).toBe(0);
    expect(response.readUInt8(6)).toBe(routes.size + 1);
    expect(response.length).toBe(7 + routes.size * 7 + 4 + 1);
  });

  test("a client without a name, and tags that nobody knows, are taken (trap 3)", async () => {
    await using connection = await RawConnection.open(address());
    const tags = { 5: Buffer.from("from the future") };
    const named = header({ apiKey: ApiKey.metadata, apiVersion: 12, clientId: null, correlationId: 8, tags });
    connection.write(frame(named, unsignedVarint(1), int8(0), int8(0), taggedFields(tags)));
    const answer = decodeResponseFrame(await connection.response(), { api: Metadata, version: 12 });
    expect(answer.correlationId).toBe(8);
    expect(answer.response.brokers).toHaveLength(1);
  });

  test("Fetch reaches version 12 and beyond, which some clients send without asking (trap 8)", async () => {
    const topic = await newTopic();
    await produce(topic, Buffer.from("x"));
    const topics = [{ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }];
    const request = { maxWaitMs: 5_000, minBytes: 1, maxBytes: 1 << 20, topics };
    await using connection = await RawConnection.open(address());
    connection.write(
      encodeRequestFrame(request, { api: Fetch, version: 12, correlationId: 1, clientId: "t" }),
    );
    const { response } = decodeResponseFrame(await connection.response(), { api: Fetch, version: 12 });
    expect(response.responses[0]?.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 1 });
    expect(advertisedApis.find(({ apiKey }) => apiKey === ApiKey.fetch)?.maxVersion).toBeGreaterThanOrEqual(
      16,
    );
  });

  test.each([
    ["of another API", ApiKey.metadata, 14],
    ["below what is served", ApiKey.fetch, 3],
    ["of an API that is not there", 68, 1],
  ])("a version %s closes the connection (trap 9)", async (_what, apiKey, apiVersion) => {
    await using connection = await RawConnection.open(address());
    connection.write(frame(header({ apiKey, apiVersion }), int32(0)));
    expect((await connection.reply()).kind).toBe("closed");
  });

  test.each([0, 1, 2, 3, 4])(
    "ApiVersions v%i names no feature, and so turns on no transactions of version 2 (traps 10 and 11)",
    async (version) => {
      const request = { clientSoftwareName: "trap", clientSoftwareVersion: "1" };
      const answer = await ask(address(), ApiVersions, {
        version,
        request: version < 3 ? {} : request,
      });
      expect(answer.errorCode).toBe(0);
      expect(answer).toMatchObject({
        supportedFeatures: [],
        finalizedFeatures: [],
        finalizedFeaturesEpoch: -1,
      });
    },
  );

  test("a listener without a host takes both families and tells a name that is reached (trap 12)", async () => {
    await using own = await startBroker({ config: { listeners: "PLAINTEXT://:0" } });
    const [advertised = ""] = own.bootstrapServers;
    const port = Number(advertised.slice(advertised.lastIndexOf(":") + 1));
    expect(await connects("127.0.0.1", port)).toBe(true);
    const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    if (addresses.some((each) => each.address === "::1")) expect(await connects("::1", port)).toBe(true);
    const { brokers } = await ask(`127.0.0.1:${port}`, Metadata, { version: 9, request: { topics: [] } });
    expect(brokers[0]?.port).toBe(port);
    expect(brokers[0]?.host).not.toMatch(/^(0\.0\.0\.0|::)$/);
    expect(await connects(brokers[0]?.host ?? "", port)).toBe(true);
  });
});

describe("fetching", () => {
  test("a batch is never cut: what does not fit is left for the next time (trap 28)", async () => {
    const topic = await newTopic();
    await produce(topic, Buffer.alloc(5_000, "a"));
    await produce(topic, Buffer.alloc(5_000, "b"));
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 8_000 }];
    const request = { maxWaitMs: 100, minBytes: 1, maxBytes: 8_000, topics: [{ topic, partitions }] };
    const answer = await ask(address(), Fetch, { version: 11, request });
    const records = Buffer.from(answer.responses[0]?.partitions[0]?.records ?? []);
    // One batch of its announced length, and no byte of the second.
    expect(records.length).toBe(12 + records.readInt32BE(8));
  });

  test.each([
    ["read_uncommitted", 0, null],
    ["read_committed", 1, []],
  ] as const)(
    "without transactions %s reads to the end of the log, with the right list (traps 33 and 34)",
    async (_name, isolationLevel, abortedTransactions) => {
      const topic = await newTopic();
      await produce(topic, Buffer.from("x"));
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }];
      const limits = { maxWaitMs: 1_000, minBytes: 1, maxBytes: 1 << 20 };
      const request = { ...limits, isolationLevel, topics: [{ topic, partitions }] };
      const answer = await ask(address(), Fetch, { version: 11, request });
      expect(answer.responses[0]?.partitions[0]).toMatchObject({
        highWatermark: 1,
        lastStableOffset: 1,
        logStartOffset: 0,
        abortedTransactions,
      });
      const asked = [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }];
      const listed = await ask(address(), ListOffsets, {
        version: 5,
        request: { replicaId: -1, isolationLevel, topics: asked },
      });
      expect(listed.topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, offset: 1 });
    },
  );
});

describe("administration", () => {
  test("DescribeConfigs tells every config of a topic with default and source (trap 59)", async () => {
    const topic = await newTopic();
    const resources = [{ resourceType: topicResource, resourceName: topic, configurationKeys: null }];
    const { results } = await ask(address(), DescribeConfigs, {
      version: 4,
      request: { resources, includeSynonyms: true },
    });
    const configs = results[0]?.configs ?? [];
    expect(configs.length).toBeGreaterThanOrEqual(30);
    const retention = configs.find(({ name }) => name === "retention.ms");
    expect(retention).toMatchObject({ value: "604800000", configSource: 5, readOnly: false, configType: 5 });
  });

  test("DescribeConfigs of a broker answers to its own id and shows no secret (trap 59)", async () => {
    const describe = async (resourceName: string) => {
      const resources = [{ resourceType: brokerResource, resourceName, configurationKeys: null }];
      const { results } = await ask(address(), DescribeConfigs, { version: 4, request: { resources } });
      return results[0];
    };
    const own = await describe("1");
    expect(own?.configs.find(({ name }) => name === "node.id")?.value).toBe("1");
    const secrets = own?.configs.filter(({ isSensitive }) => isSensitive) ?? [];
    expect(secrets.length).toBeGreaterThan(0);
    expect(secrets.every(({ value }) => value === null)).toBe(true);
    expect((await describe("77"))?.errorCode).not.toBe(0);
  });

  test("AlterConfigs replaces all, IncrementalAlterConfigs one by one (trap 60)", async () => {
    const topic = await newTopic();
    const resource = { resourceType: topicResource, resourceName: topic };
    const incremental = [
      { name: "retention.ms", configOperation: 0, value: "1000" },
      { name: "segment.ms", configOperation: 0, value: "2000" },
      { name: "cleanup.policy", configOperation: 2, value: "compact" },
    ];
    const first = await ask(address(), IncrementalAlterConfigs, {
      version: 1,
      request: { resources: [{ ...resource, configs: incremental }] },
    });
    expect(first.responses[0]?.errorCode).toBe(0);
    expect(await overrides(topic)).toEqual({
      "cleanup.policy": "delete,compact",
      "retention.ms": "1000",
      "segment.ms": "2000",
    });
    const replaced = await ask(address(), AlterConfigs, {
      version: 2,
      request: { resources: [{ ...resource, configs: [{ name: "segment.ms", value: "3000" }] }] },
    });
    expect(replaced.responses[0]?.errorCode).toBe(0);
    expect(await overrides(topic)).toEqual({ "segment.ms": "3000" });
    const unknown = await ask(address(), IncrementalAlterConfigs, {
      version: 1,
      request: {
        resources: [{ ...resource, configs: [{ name: "no.such", configOperation: 0, value: "1" }] }],
      },
    });
    expect(unknown.responses[0]?.errorCode).toBe(40);
  });

  test("what is optional and not done is not advertised, what UIs ask at once is (traps 67 and 68)", () => {
    const served = [...routes.keys()];
    expect(served).toEqual(
      expect.arrayContaining([ApiKey.describeCluster, ApiKey.describeLogDirs, ApiKey.describeProducers]),
    );
    const notYet = [68, 69, 71, 72, 76, 77, 78, 79, 88, 89];
    expect(served.filter((key) => notYet.includes(key))).toEqual([]);
  });
});

test.each([0, 1])("records of magic %i are refused and never come back (trap 70)", async (magic) => {
  const topic = await newTopic();
  const old = Buffer.from(buildBatch({ records: [{ timestampMs: 1, key: null, value: null }] }));
  old.writeInt8(magic, 16);
  const topicData = [{ name: topic, partitionData: [{ index: 0, records: old }] }];
  const request = { acks: -1, timeoutMs: 10_000, topicData };
  const { responses } = await ask(address(), Produce, { version: 9, request });
  expect(responses[0]?.partitionResponses[0]?.errorCode).not.toBe(0);
  expect(routes.get(ApiKey.fetch)?.api.versions[0]).toBe(4);
  expect(routes.get(ApiKey.produce)?.api.versions[0]).toBe(3);
});

/** What a topic sets itself, not by default. */
async function overrides(topic: string): Promise<Record<string, string | null>> {
  const resources = [{ resourceType: topicResource, resourceName: topic, configurationKeys: null }];
  const { results } = await ask(address(), DescribeConfigs, { version: 4, request: { resources } });
  const own = results[0]?.configs.filter(({ configSource }) => configSource === 1) ?? [];
  return Object.fromEntries(own.map(({ name, value }) => [name, value]));
}

async function connects(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  return await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  }).finally(() => socket.destroy());
}
