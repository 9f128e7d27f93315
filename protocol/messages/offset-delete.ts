import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Deletes a group's offsets for partitions that it does not consume (KIP-496). */
export const OffsetDelete = api({
  name: "OffsetDelete",
  key: 47,
  versions: [0, 0],
  flexibleFrom: "never",
  request: {
    groupId: t.string,
    topics: t.array({
      name: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
      }),
    }),
  },
  response: {
    errorCode: t.errorCode,
    throttleTimeMs: t.int32.ignorable(),
    topics: t.array({
      name: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        errorCode: t.errorCode,
      }),
    }),
  },
});

export type OffsetDeleteRequest = RequestOf<typeof OffsetDelete>;
export type OffsetDeleteResponse = ResponseOf<typeof OffsetDelete>;
