import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Assigns a producer id and epoch, and fences the transactional producer that came before. */
export const InitProducerId = api({
  name: "InitProducerId",
  key: 22,
  versions: [0, 6],
  flexibleFrom: 2,
  latestVersionUnstable: true,
  request: {
    transactionalId: t.string.nullable(),
    transactionTimeoutMs: t.int32,
    // KIP-360: what the producer had, to go on with a higher epoch.
    producerId: t.int64.since(3).default(-1),
    producerEpoch: t.int16.since(3).default(-1),
    enable2Pc: t.boolean.since(6), // KIP-939.
    keepPreparedTxn: t.boolean.since(6),
  },
  response: {
    throttleTimeMs: t.int32.ignorable(),
    errorCode: t.errorCode,
    producerId: t.int64.default(-1),
    producerEpoch: t.int16,
    ongoingTxnProducerId: t.int64.since(6).default(-1), // KIP-939.
    ongoingTxnProducerEpoch: t.int16.since(6).default(-1),
  },
});

export type InitProducerIdRequest = RequestOf<typeof InitProducerId>;
export type InitProducerIdResponse = ResponseOf<typeof InitProducerId>;
