import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of what a share group's member consumes now. */
export const ShareGroupCurrentMemberAssignmentKey = message({
  name: "ShareGroupCurrentMemberAssignmentKey",
  recordType: 14,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
    memberId: t.string,
  },
});

/** What a share group's member consumes now. */
export const ShareGroupCurrentMemberAssignmentValue = message({
  name: "ShareGroupCurrentMemberAssignmentValue",
  recordType: 14,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    memberEpoch: t.int32,
    previousMemberEpoch: t.int32,
    state: t.int8,
    assignedPartitions: t.array({
      topicId: t.uuid,
      partitions: t.array(t.int32),
    }),
  },
});
