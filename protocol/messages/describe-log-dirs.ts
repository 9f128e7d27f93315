import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Tells the size and lag of replicas per log directory (KIP-113). */
export const DescribeLogDirs = api({
  name: "DescribeLogDirs",
  key: 35,
  versions: [1, 5],
  flexibleFrom: 2,
  request: {
    topics: t
      .array({
        topic: t.string,
        partitions: t.array(t.int32),
      })
      .nullable(),
  },
  response: {
    throttleTimeMs: t.int32,
    errorCode: t.errorCode.since(3).ignorable(),
    results: t.array({
      errorCode: t.errorCode,
      logDir: t.string,
      topics: t.array({
        name: t.string,
        partitions: t.array({
          partitionIndex: t.int32,
          partitionSize: t.int64,
          offsetLag: t.int64,
          isFutureKey: t.boolean,
        }),
      }),
      totalBytes: t.int64.since(4).default(-1).ignorable(), // KIP-827.
      usableBytes: t.int64.since(4).default(-1).ignorable(),
      isCordoned: t.boolean.since(5).ignorable(), // KIP-1066.
    }),
  },
});

export type DescribeLogDirsRequest = RequestOf<typeof DescribeLogDirs>;
export type DescribeLogDirsResponse = ResponseOf<typeof DescribeLogDirs>;
