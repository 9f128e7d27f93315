import { ApiVersions } from "#protocol/messages/api-versions.ts";
import { DescribeCluster } from "#protocol/messages/describe-cluster.ts";
import { DescribeLogDirs } from "#protocol/messages/describe-log-dirs.ts";
import { DescribeQuorum } from "#protocol/messages/describe-quorum.ts";
import { DescribeTopicPartitions } from "#protocol/messages/describe-topic-partitions.ts";
import { ElectLeaders } from "#protocol/messages/elect-leaders.ts";
import { FindCoordinator } from "#protocol/messages/find-coordinator.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { UnregisterBroker } from "#protocol/messages/unregister-broker.ts";
import { requests, type Scenario, scenario } from "../scenario.ts";
import type { Wire } from "../wire.ts";
import { fixtures, unknownTopicId } from "./fixtures.ts";

/** Questions about the cluster and its topics. */
export const clusterScenarios: readonly Scenario[] = [
  ...requests(ApiVersions, {
    "a plain client": { clientSoftwareName: "differential", clientSoftwareVersion: "1.0" },
    "a software name with a blank": { clientSoftwareName: "two words", clientSoftwareVersion: "1.0" },
    "a software name that ends in a dash": { clientSoftwareName: "dash-", clientSoftwareVersion: "1.0" },
  }),
  scenario(ApiVersions, "a version that is not there", async (wire) => {
    const payload = wire.payload(ApiVersions, { clientSoftwareName: "a", clientSoftwareVersion: "1" });
    payload.writeInt16BE(99, 2);
    await wire.sendBytes("version 99", ApiVersions, payload, 0);
  }),
  scenario(ApiVersions, "a negative version", async (wire) => {
    const payload = wire.payload(ApiVersions, { clientSoftwareName: "a", clientSoftwareVersion: "1" });
    payload.writeInt16BE(-1, 2);
    await wire.sendBytes("version -1", ApiVersions, payload, 0);
  }),
  scenario(Metadata, "a version that is not there", async (wire) => {
    const payload = wire.payload(Metadata, { topics: [] });
    payload.writeInt16BE(99, 2);
    await wire.sendBytes("version 99", Metadata, payload, 0);
  }),
  scenario(Metadata, "bytes after the request", async (wire) => {
    const payload = Buffer.concat([wire.payload(Metadata, { topics: [] }), Buffer.from("more")]);
    await wire.sendBytes("four bytes more", Metadata, payload);
  }),
  scenario(Metadata, "a request cut off", async (wire) => {
    const payload = wire.payload(Metadata, { topics: [{ name: fixtures.orders }] });
    await wire.sendBytes("three bytes less", Metadata, payload.subarray(0, -3));
  }),
  scenario(Metadata, "an api key that is not there", async (wire) => {
    const payload = wire.payload(Metadata, { topics: [] });
    payload.writeInt16BE(9_999, 0);
    await wire.sendBytes("key 9999", Metadata, payload);
  }),

  ...requests(Metadata, {
    "no topics": { topics: [] },
    "one topic": { topics: [{ name: fixtures.orders }], allowAutoTopicCreation: true },
    "a topic twice": { topics: [{ name: fixtures.orders }, { name: fixtures.orders }] },
    "several topics": { topics: [{ name: fixtures.trimmed }, { name: fixtures.orders }] },
    "an empty name": { topics: [{ name: "" }] },
    "a bad name": { topics: [{ name: "bad name!" }] },
    "the name of this directory": { topics: [{ name: "." }] },
    "a long name": { topics: [{ name: "n".repeat(250) }] },
    "the topic of offsets": (wire) => ({
      topics: [{ name: "__consumer_offsets" }],
      ...(wire.version >= 4 ? { allowAutoTopicCreation: false } : {}),
    }),
  }),
  ...requests(
    Metadata,
    {
      "an unknown topic, not to be made": {
        topics: [{ name: fixtures.unknown }, { name: fixtures.orders }],
        allowAutoTopicCreation: false,
      },
      "an unknown internal topic, not to be made": {
        topics: [{ name: "__transaction_state" }],
        allowAutoTopicCreation: false,
      },
    },
    { since: 4 },
  ),
  ...requests(
    Metadata,
    {
      "what is allowed on topics": {
        topics: [{ name: fixtures.orders }],
        includeTopicAuthorizedOperations: true,
      },
      "what is allowed on an unknown topic": {
        topics: [{ name: fixtures.unknown }],
        allowAutoTopicCreation: false,
        includeTopicAuthorizedOperations: true,
      },
    },
    { since: 8 },
  ),
  ...requests(
    Metadata,
    { "what is allowed on the cluster": { topics: [], includeClusterAuthorizedOperations: true } },
    { since: 8, until: 10 },
  ),
  ...requests(
    Metadata,
    {
      "a topic by its id": async (wire) => ({
        topics: [{ topicId: await wire.topicId(fixtures.orders), name: null }],
      }),
      "an unknown id": { topics: [{ topicId: unknownTopicId, name: null }] },
      "no id and no name": { topics: [{ name: null }] },
      "an id with a name": async (wire) => ({
        topics: [{ topicId: await wire.topicId(fixtures.orders), name: fixtures.orders }],
      }),
      "an id and a name in one list": async (wire) => ({
        topics: [{ topicId: await wire.topicId(fixtures.orders), name: null }, { name: fixtures.trimmed }],
      }),
    },
    { since: 10 },
  ),
  scenario(Metadata, "a topic that is made by asking", async (wire) => {
    const topics = [{ name: wire.name("made") }];
    await wire.send("first", Metadata, { topics, allowAutoTopicCreation: true });
    await wire.untilLed(wire.name("made"));
    await wire.send("then", Metadata, { topics, allowAutoTopicCreation: true });
  }),

  ...requests(DescribeCluster, {
    plain: {},
    "what is allowed": { includeClusterAuthorizedOperations: true },
  }),
  ...requests(
    DescribeCluster,
    { controllers: { endpointType: 2 }, "an unknown type": { endpointType: 3 } },
    { since: 1 },
  ),
  ...requests(DescribeCluster, { "fenced brokers too": { includeFencedBrokers: true } }, { since: 2 }),

  ...requests(DescribeTopicPartitions, {
    "one topic": { topics: [{ name: fixtures.orders }] },
    "several topics": { topics: [{ name: fixtures.trimmed }, { name: fixtures.orders }] },
    "an unknown topic": { topics: [{ name: fixtures.unknown }] },
    "a bad name": { topics: [{ name: "bad name!" }] },
    "a topic twice": { topics: [{ name: fixtures.orders }, { name: fixtures.orders }] },
    "fewer partitions than there are": { topics: [{ name: fixtures.orders }], responsePartitionLimit: 2 },
    "no partitions": { topics: [{ name: fixtures.orders }], responsePartitionLimit: 0 },
    "from a cursor": {
      topics: [{ name: fixtures.orders }, { name: fixtures.trimmed }],
      cursor: { topicName: fixtures.orders, partitionIndex: 1 },
    },
    "from a cursor past the end": {
      topics: [{ name: fixtures.orders }],
      cursor: { topicName: fixtures.orders, partitionIndex: 9 },
    },
    "from a cursor before the beginning": {
      topics: [{ name: fixtures.orders }],
      cursor: { topicName: fixtures.orders, partitionIndex: -1 },
    },
    "from a cursor of another topic": {
      topics: [{ name: fixtures.orders }],
      cursor: { topicName: fixtures.unknown, partitionIndex: 0 },
    },
  }),

  ...requests(FindCoordinator, {
    "of a group": (wire) => coordinatorKeys(wire, ["group"], 0),
    "of no group": (wire) => coordinatorKeys(wire, [""], 0),
  }),
  ...requests(
    FindCoordinator,
    {
      "of a transaction": (wire) => coordinatorKeys(wire, ["transaction"], 1),
      "of a thing that has none": (wire) => coordinatorKeys(wire, ["key"], 9),
      "of a share partition": (wire) => coordinatorKeys(wire, ["group:ZmFsc2UtdG9waWMtaWQtMQ:0"], 2),
      "of a bad share partition": (wire) => coordinatorKeys(wire, ["group"], 2),
    },
    { since: 1 },
  ),
  ...requests(
    FindCoordinator,
    {
      "of several groups": { keyType: 0, coordinatorKeys: ["a", "b"] },
      "of nothing": { keyType: 0, coordinatorKeys: [] },
      "of one group twice": { keyType: 0, coordinatorKeys: ["a", "a"] },
    },
    { since: 4 },
  ),

  ...requests(ElectLeaders, {
    "partitions that are led": { topicPartitions: [{ topic: fixtures.orders, partitions: [0, 1] }] },
    "partitions that are not there": {
      topicPartitions: [
        { topic: fixtures.orders, partitions: [9, -1] },
        { topic: fixtures.unknown, partitions: [0] },
      ],
    },
    "no partitions": { topicPartitions: [{ topic: fixtures.orders, partitions: [] }] },
    "no topics": { topicPartitions: [] },
  }),
  ...requests(
    ElectLeaders,
    {
      "unclean, of partitions that are led": {
        electionType: 1,
        topicPartitions: [{ topic: fixtures.orders, partitions: [0, 9] }],
      },
    },
    { since: 1 },
  ),
  ...requests(DescribeQuorum, {
    "of another topic": { topics: [{ topicName: fixtures.orders, partitions: [{ partitionIndex: 0 }] }] },
    "another partition": {
      topics: [{ topicName: "__cluster_metadata", partitions: [{ partitionIndex: 1 }] }],
    },
  }),
  ...requests(UnregisterBroker, {
    "a broker that is not there": { brokerId: 77 },
    "a negative id": { brokerId: -1 },
  }),

  ...requests(DescribeLogDirs, {
    "one partition": { topics: [{ topic: fixtures.orders, partitions: [0] }] },
    "an unknown topic": { topics: [{ topic: fixtures.unknown, partitions: [0] }] },
    "an unknown partition": { topics: [{ topic: fixtures.orders, partitions: [9] }] },
    "no topics": { topics: [] },
    "no partitions": { topics: [{ topic: fixtures.orders, partitions: [] }] },
    "a partition twice": { topics: [{ topic: fixtures.orders, partitions: [0, 0] }] },
  }),
];

function coordinatorKeys(wire: Wire, keys: readonly string[], keyType: number) {
  if (wire.version >= 4) return { keyType, coordinatorKeys: keys };
  const [key = ""] = keys;
  return wire.version >= 1 ? { key, keyType } : { key };
}
