import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

const replicaState = t.struct({
  replicaId: t.int32,
  replicaDirectoryId: t.uuid.since(2),
  logEndOffset: t.int64,
  lastFetchTimestamp: t.int64.since(1).default(-1).ignorable(),
  lastCaughtUpTimestamp: t.int64.since(1).default(-1).ignorable(),
});

/** Tells the state of the metadata quorum (KIP-595). */
export const DescribeQuorum = api({
  name: "DescribeQuorum",
  key: 55,
  versions: [0, 2],
  flexibleFrom: 0,
  request: {
    topics: t.array({
      topicName: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
      }),
    }),
  },
  response: {
    errorCode: t.errorCode,
    errorMessage: t.string.nullable().since(2).ignorable(),
    topics: t.array({
      topicName: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        errorCode: t.errorCode,
        errorMessage: t.string.nullable().since(2).ignorable(),
        leaderId: t.int32,
        leaderEpoch: t.int32,
        highWatermark: t.int64,
        currentVoters: t.array(replicaState),
        observers: t.array(replicaState),
      }),
    }),
    // KIP-853.
    nodes: t
      .array({
        nodeId: t.int32,
        listeners: t.array({
          name: t.string,
          host: t.string,
          port: t.uint16,
        }),
      })
      .since(2),
  },
});

export type DescribeQuorumRequest = RequestOf<typeof DescribeQuorum>;
export type DescribeQuorumResponse = ResponseOf<typeof DescribeQuorum>;
