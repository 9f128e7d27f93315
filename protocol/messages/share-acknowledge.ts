import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Acknowledges records acquired by a share group's member (KIP-932). */
export const ShareAcknowledge = api({
  name: "ShareAcknowledge",
  key: 79,
  versions: [1, 2],
  flexibleFrom: 0,
  request: {
    groupId: t.string.nullable(),
    memberId: t.string.nullable(),
    shareSessionEpoch: t.int32,
    isRenewAck: t.boolean.since(2), // KIP-1222.
    topics: t.array({
      topicId: t.uuid,
      partitions: t.array({
        partitionIndex: t.int32,
        acknowledgementBatches: t.array({
          firstOffset: t.int64,
          lastOffset: t.int64,
          acknowledgeTypes: t.array(t.int8),
        }),
      }),
    }),
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable(),
    acquisitionLockTimeoutMs: t.int32.since(2).ignorable(),
    responses: t.array({
      topicId: t.uuid,
      partitions: t.array({
        partitionIndex: t.int32,
        errorCode: t.errorCode,
        errorMessage: t.string.nullable(),
        currentLeader: t.struct({
          leaderId: t.int32,
          leaderEpoch: t.int32,
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

export type ShareAcknowledgeRequest = RequestOf<typeof ShareAcknowledge>;
export type ShareAcknowledgeResponse = ResponseOf<typeof ShareAcknowledge>;
