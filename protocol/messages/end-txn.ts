import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Commits or aborts a transaction. */
export const EndTxn = api({
  name: "EndTxn",
  key: 26,
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    transactionalId: t.string,
    producerId: t.int64,
    producerEpoch: t.int16,
    committed: t.boolean,
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    // KIP-890: every transaction ends with a new epoch.
    producerId: t.int64.since(5).default(-1).ignorable(),
    producerEpoch: t.int16.since(5).default(-1).ignorable(),
  },
});

export type EndTxnRequest = RequestOf<typeof EndTxn>;
export type EndTxnResponse = ResponseOf<typeof EndTxn>;
