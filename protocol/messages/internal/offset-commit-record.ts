import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a group's stored offset. */
export const OffsetCommitKey = message({
  name: "OffsetCommitKey",
  recordType: 1,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    group: t.string,
    topic: t.string,
    partition: t.int32,
  },
});

/** A group's stored offset for one partition. */
export const OffsetCommitValue = message({
  name: "OffsetCommitValue",
  recordType: 1,
  versions: [0, 4],
  flexibleFrom: 4,
  fields: {
    offset: t.int64,
    leaderEpoch: t.int32.since(3).default(-1).ignorable(), // KIP-320.
    metadata: t.string,
    commitTimestamp: t.int64,
    // KIP-211 made retention a matter of the group.
    expireTimestamp: t.int64.since(1).until(1).default(-1).ignorable(),
    topicId: t.uuid.tagged(0, 4).ignorable(),
  },
});
