import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a stored offset as Kafka wrote it before 0.9. */
export const LegacyOffsetCommitKey = message({
  name: "LegacyOffsetCommitKey",
  recordType: 0,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    group: t.string,
    topic: t.string,
    partition: t.int32,
  },
});

/** A stored offset as Kafka wrote it before 0.9. */
export const LegacyOffsetCommitValue = message({
  name: "LegacyOffsetCommitValue",
  recordType: 0,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    offset: t.int64,
    metadata: t.string,
    commitTimestamp: t.int64,
  },
});
