import type { ConsumedRecord } from "#src/cli/client/partition-reader.ts";

/** A record with a bit of everything. */
export const exampleRecord: ConsumedRecord = {
  topic: "t",
  partition: 3,
  offset: 42,
  timestampMs: 1_700_000_000_000,
  timestampType: "createTime",
  key: Buffer.from("k"),
  value: Buffer.from("v\u00e4"),
  headers: [
    { key: "a", value: Buffer.from("1") },
    { key: "b", value: null },
  ],
};
