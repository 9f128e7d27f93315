import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Describes topics page by page (KIP-966). */
export const DescribeTopicPartitions = api({
  name: "DescribeTopicPartitions",
  key: 75,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    topics: t.array({
      name: t.string,
    }),
    responsePartitionLimit: t.int32.default(2000),
    cursor: t
      .struct({
        topicName: t.string,
        partitionIndex: t.int32,
      })
      .nullable(),
  },
  response: {
    throttleTimeMs: t.int32.ignorable(),
    topics: t.array({
      errorCode: t.errorCode,
      name: t.string.nullable(),
      topicId: t.uuid.ignorable(),
      isInternal: t.boolean.ignorable(),
      partitions: t.array({
        errorCode: t.errorCode,
        partitionIndex: t.int32,
        leaderId: t.int32,
        leaderEpoch: t.int32.default(-1).ignorable(),
        replicaNodes: t.array(t.int32),
        isrNodes: t.array(t.int32),
        eligibleLeaderReplicas: t.array(t.int32).nullable(),
        lastKnownElr: t.array(t.int32).nullable(),
        offlineReplicas: t.array(t.int32).ignorable(),
      }),
      topicAuthorizedOperations: t.int32.default(-0x8000_0000),
    }),
    nextCursor: t
      .struct({
        topicName: t.string,
        partitionIndex: t.int32,
      })
      .nullable(),
  },
});

export type DescribeTopicPartitionsRequest = RequestOf<typeof DescribeTopicPartitions>;
export type DescribeTopicPartitionsResponse = ResponseOf<typeof DescribeTopicPartitions>;
