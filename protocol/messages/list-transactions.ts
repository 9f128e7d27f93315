import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Lists the transactions that this broker coordinates (KIP-664). */
export const ListTransactions = api({
  name: "ListTransactions",
  key: 66,
  versions: [0, 2],
  flexibleFrom: 0,
  request: {
    stateFilters: t.array(t.string),
    producerIdFilters: t.array(t.int64),
    durationFilter: t.int64.since(1).default(-1), // KIP-994: in milliseconds, negative for none.
    transactionalIdPattern: t.string.nullable().since(2), // KIP-1152.
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    unknownStateFilters: t.array(t.string),
    transactionStates: t.array({
      transactionalId: t.string,
      producerId: t.int64,
      transactionState: t.string,
    }),
  },
});

export type ListTransactionsRequest = RequestOf<typeof ListTransactions>;
export type ListTransactionsResponse = ResponseOf<typeof ListTransactions>;
