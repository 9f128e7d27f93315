import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a member's part of the target assignment. */
export const ConsumerGroupTargetAssignmentMemberKey = message({
  name: "ConsumerGroupTargetAssignmentMemberKey",
  recordType: 7,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
    memberId: t.string,
  },
});

/** What a member of the new consumer protocol is to own in the end. */
export const ConsumerGroupTargetAssignmentMemberValue = message({
  name: "ConsumerGroupTargetAssignmentMemberValue",
  recordType: 7,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    topicPartitions: t.array({
      topicId: t.uuid,
      partitions: t.array(t.int32),
    }),
  },
});
