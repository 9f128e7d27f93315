import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Acquires records for a member of a share group, and acknowledges earlier ones (KIP-932). */
export const ShareFetch = api({
  name: "ShareFetch",
  key: 78,
  versions: [1, 2],
  flexibleFrom: 0,
  request: {
    groupId: t.string.nullable(),
    memberId: t.string.nullable(),
    shareSessionEpoch: t.int32,
    maxWaitMs: t.int32,
    minBytes: t.int32,
    maxBytes: t.int32.default(0x7fff_ffff),
    maxRecords: t.int32,
    batchSize: t.int32,
    shareAcquireMode: t.int8.since(2).ignorable(), // KIP-1206.
    isRenewAck: t.boolean.since(2), // KIP-1222.
    topics: t.array({
      topicId: t.uuid,
      partitions: t.array({
        partitionIndex: t.int32,
        partitionMaxBytes: t.int32.until(0),
        acknowledgementBatches: t.array({
          firstOffset: t.int64,
          lastOffset: t.int64,
          acknowledgeTypes: t.array(t.int8),
        }),
      }),
    }),
    forgottenTopicsData: t.array({
      topicId: t.uuid,
      partitions: t.array(t.int32),
    }),
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    acquisitionLockTimeoutMs: t.int32,
    responses: t.array({
      topicId: t.uuid,
      partitions: t.array({
        partitionIndex: t.int32,
        errorCode: t.errorCode,
        errorMessage: t.string.nullable(),
        acknowledgeErrorCode: t.errorCode,
        acknowledgeErrorMessage: t.string.nullable(),
        currentLeader: t.struct({
          leaderId: t.int32,
          leaderEpoch: t.int32,
        }),
        records: t.records,
        acquiredRecords: t.array({
          firstOffset: t.int64,
          lastOffset: t.int64,
          deliveryCount: t.int16,
        }),
      }),
    }),
    nodeEndpoints: t.array({
      nodeId: t.int32,
      host: t.string,
      port: t.int32,
      rack: t.string.nullable(),
    }),
  },
});

export type ShareFetchRequest = RequestOf<typeof ShareFetch>;
export type ShareFetchResponse = ResponseOf<typeof ShareFetch>;
