import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Adds a group's offsets partition to an open transaction, before TxnOffsetCommit. */
export const AddOffsetsToTxn = api({
  name: "AddOffsetsToTxn",
  key: 25,
  versions: [0, 4],
  flexibleFrom: 3,
  request: {
    transactionalId: t.string,
    producerId: t.int64,
    producerEpoch: t.int16,
    groupId: t.string,
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
  },
});

export type AddOffsetsToTxnRequest = RequestOf<typeof AddOffsetsToTxn>;
export type AddOffsetsToTxnResponse = ResponseOf<typeof AddOffsetsToTxn>;
