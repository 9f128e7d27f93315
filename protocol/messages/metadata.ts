import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Tells the brokers, topics, partitions and leaders; may create topics. */
export const Metadata = api({
  name: "Metadata",
  key: 3,
  versions: [0, 13],
  flexibleFrom: 9,
  request: {
    // v0: an empty list means all topics; from v1 on null does, and empty means none.
    topics: t
      .array({
        topicId: t.uuid.since(10).ignorable(), // KIP-516.
        name: t.string.nullable(10),
      })
      .nullable(1),
    allowAutoTopicCreation: t.boolean.since(4).default(true), // Below v4 creation is always allowed.
    // KIP-430, moved to DescribeCluster by KIP-700.
    includeClusterAuthorizedOperations: t.boolean.since(8).until(10),
    includeTopicAuthorizedOperations: t.boolean.since(8), // KIP-430.
  },
  response: {
    throttleTimeMs: t.int32.since(3).ignorable(),
    brokers: t.array({
      nodeId: t.int32,
      host: t.string,
      port: t.int32,
      rack: t.string.nullable().since(1).ignorable(),
    }),
    clusterId: t.string.nullable().since(2).ignorable(),
    controllerId: t.int32.since(1).default(-1).ignorable(),
    topics: t.array({
      errorCode: t.errorCode,
      name: t.string.nullable(12),
      topicId: t.uuid.since(10).ignorable(), // KIP-516.
      isInternal: t.boolean.since(1).ignorable(),
      partitions: t.array({
        errorCode: t.errorCode,
        partitionIndex: t.int32,
        leaderId: t.int32,
        leaderEpoch: t.int32.since(7).default(-1).ignorable(), // KIP-320.
        replicaNodes: t.array(t.int32),
        isrNodes: t.array(t.int32),
        offlineReplicas: t.array(t.int32).since(5).ignorable(), // KIP-112.
      }),
      // KIP-430: the default means that nobody asked.
      topicAuthorizedOperations: t.int32.since(8).default(-0x8000_0000),
    }),
    clusterAuthorizedOperations: t.int32.since(8).until(10).default(-0x8000_0000),
    // KIP-1102: may tell clients to start over from their bootstrap servers.
    errorCode: t.errorCode.since(13).ignorable(),
  },
});

export type MetadataRequest = RequestOf<typeof Metadata>;
export type MetadataResponse = ResponseOf<typeof Metadata>;
