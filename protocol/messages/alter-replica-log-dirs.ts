import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Moves replicas between the log directories of one broker (KIP-113). */
export const AlterReplicaLogDirs = api({
  name: "AlterReplicaLogDirs",
  key: 34,
  versions: [1, 2],
  flexibleFrom: 2,
  request: {
    dirs: t.array({
      path: t.string,
      topics: t.array({
        name: t.string,
        partitions: t.array(t.int32),
      }),
    }),
  },
  response: {
    throttleTimeMs: t.int32,
    results: t.array({
      topicName: t.string,
      partitions: t.array({
        partitionIndex: t.int32,
        errorCode: t.errorCode,
      }),
    }),
  },
});

export type AlterReplicaLogDirsRequest = RequestOf<typeof AlterReplicaLogDirs>;
export type AlterReplicaLogDirsResponse = ResponseOf<typeof AlterReplicaLogDirs>;
