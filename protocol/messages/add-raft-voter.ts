import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Adds a voter to the metadata quorum (KIP-853). */
export const AddRaftVoter = api({
  name: "AddRaftVoter",
  key: 80,
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    clusterId: t.string.nullable(),
    timeoutMs: t.int32,
    voterId: t.int32,
    voterDirectoryId: t.uuid,
    listeners: t.array({
      name: t.string,
      host: t.string,
      port: t.uint16,
    }),
    ackWhenCommitted: t.boolean.since(1).default(true), // KIP-1186.
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable().ignorable(),
  },
});

export type AddRaftVoterRequest = RequestOf<typeof AddRaftVoter>;
export type AddRaftVoterResponse = ResponseOf<typeof AddRaftVoter>;
