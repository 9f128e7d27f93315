import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Elects leaders for partitions, preferred or unclean (KIP-460). */
export const ElectLeaders = api({
  name: "ElectLeaders",
  key: 43,
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    electionType: t.int8.since(1), // KIP-460: 0 preferred, 1 unclean.
    // Null asks for all.
    topicPartitions: t
      .array({
        topic: t.string,
        partitions: t.array(t.int32),
      })
      .nullable(),
    timeoutMs: t.int32.default(60000),
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode.since(1),
    replicaElectionResults: t.array({
      topic: t.string,
      partitionResult: t.array({
        partitionId: t.int32,
        errorCode: t.errorCode,
        errorMessage: t.string.nullable(),
      }),
    }),
  },
});

export type ElectLeadersRequest = RequestOf<typeof ElectLeaders>;
export type ElectLeadersResponse = ResponseOf<typeof ElectLeaders>;
