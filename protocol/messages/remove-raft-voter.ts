import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Removes a voter from the metadata quorum (KIP-853). */
export const RemoveRaftVoter = api({
  name: "RemoveRaftVoter",
  key: 81,
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    clusterId: t.string.nullable(),
    voterId: t.int32,
    voterDirectoryId: t.uuid,
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode,
    errorMessage: t.string.nullable().ignorable(),
  },
});

export type RemoveRaftVoterRequest = RequestOf<typeof RemoveRaftVoter>;
export type RemoveRaftVoterResponse = ResponseOf<typeof RemoveRaftVoter>;
