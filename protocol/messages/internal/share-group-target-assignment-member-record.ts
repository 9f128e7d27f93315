import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a share group member's part of the target assignment. */
export const ShareGroupTargetAssignmentMemberKey = message({
  name: "ShareGroupTargetAssignmentMemberKey",
  recordType: 13,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
    memberId: t.string,
  },
});

/** What a share group's member is to consume in the end. */
export const ShareGroupTargetAssignmentMemberValue = message({
  name: "ShareGroupTargetAssignmentMemberValue",
  recordType: 13,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    topicPartitions: t.array({
      topicId: t.uuid,
      partitions: t.array(t.int32),
    }),
  },
});
