import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { maxInt64, t } from "../schema/field.ts";

/** Reads record batches, waiting until there are enough of them. */
export const Fetch = api({
  name: "Fetch",
  key: 1,
  versions: [4, 18],
  flexibleFrom: 12,
  request: {
    clusterId: t.string.nullable().tagged(0, 12).ignorable(),
    replicaId: t.int32.until(14).default(-1), // -1 is a consumer.
    // KIP-903: fences replicas that restarted.
    replicaState: t
      .struct({
        replicaId: t.int32.default(-1),
        replicaEpoch: t.int64.default(-1),
      })
      .tagged(1, 15),
    maxWaitMs: t.int32,
    minBytes: t.int32,
    // KIP-74: the first batch is sent even when larger.
    maxBytes: t.int32.default(0x7fff_ffff).ignorable(),
    isolationLevel: t.int8.ignorable(), // KIP-98: 1 reads only what is committed.
    sessionId: t.int32.since(7).ignorable(), // KIP-227: incremental fetch sessions.
    sessionEpoch: t.int32.since(7).default(-1).ignorable(),
    topics: t.array({
      topic: t.string.until(12).ignorable(),
      topicId: t.uuid.since(13).ignorable(), // KIP-516.
      partitions: t.array({
        partition: t.int32,
        currentLeaderEpoch: t.int32.since(9).default(-1).ignorable(), // KIP-320: fences stale readers.
        fetchOffset: t.int64,
        lastFetchedEpoch: t.int32.since(12).default(-1), // KIP-595: truncation found while fetching.
        logStartOffset: t.int64.since(5).default(-1).ignorable(), // KIP-107: sent by followers.
        partitionMaxBytes: t.int32,
        replicaDirectoryId: t.uuid.tagged(0, 17).ignorable(), // KIP-853.
        highWatermark: t.int64.tagged(1, 18).default(maxInt64).ignorable(), // KIP-1166.
      }),
    }),
    forgottenTopicsData: t
      .array({
        topic: t.string.until(12).ignorable(),
        topicId: t.uuid.since(13).ignorable(),
        partitions: t.array(t.int32),
      })
      .since(7),
    rackId: t.string.since(11).ignorable(), // KIP-392: lets the broker name a nearer replica.
  },
  response: {
    throttleTimeMs: t.int32.ignorable(),
    errorCode: t.errorCode.since(7).ignorable(),
    sessionId: t.int32.since(7), // KIP-227.
    responses: t.array({
      topic: t.string.until(12).ignorable(),
      topicId: t.uuid.since(13).ignorable(), // KIP-516.
      partitions: t.array({
        partitionIndex: t.int32,
        errorCode: t.errorCode,
        highWatermark: t.int64,
        lastStableOffset: t.int64.default(-1).ignorable(), // KIP-98: below it every transaction is decided.
        logStartOffset: t.int64.since(5).default(-1).ignorable(), // KIP-107.
        // KIP-595: where the reader's log and this one part.
        divergingEpoch: t
          .struct({
            epoch: t.int32.default(-1),
            endOffset: t.int64.default(-1),
          })
          .tagged(0, 12),
        // KIP-951.
        currentLeader: t
          .struct({
            leaderId: t.int32.default(-1),
            leaderEpoch: t.int32.default(-1),
          })
          .tagged(1, 12),
        // KIP-630: only for the metadata log.
        snapshotId: t
          .struct({
            endOffset: t.int64.default(-1),
            epoch: t.int32.default(-1),
          })
          .tagged(2, 12),
        // KIP-98: null unless reading committed data.
        abortedTransactions: t
          .array({
            producerId: t.int64,
            firstOffset: t.int64,
          })
          .nullable()
          .ignorable(),
        preferredReadReplica: t.int32.since(11).default(-1), // KIP-392.
        // Left out, it is an empty set, never null: clients differ about null.
        records: t.records.nullable(),
      }),
    }),
    // KIP-951.
    nodeEndpoints: t
      .array({
        nodeId: t.int32,
        host: t.string,
        port: t.int32,
        rack: t.string.nullable(),
      })
      .tagged(0, 16),
  },
});

export type FetchRequest = RequestOf<typeof Fetch>;
export type FetchResponse = ResponseOf<typeof Fetch>;
