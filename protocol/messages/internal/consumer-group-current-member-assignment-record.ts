import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of what a member of the new consumer protocol owns now. */
export const ConsumerGroupCurrentMemberAssignmentKey = message({
  name: "ConsumerGroupCurrentMemberAssignmentKey",
  recordType: 8,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
    memberId: t.string,
  },
});

const topicPartitions = t.struct({
  topicId: t.uuid,
  partitions: t.array(t.int32),
  assignmentEpochs: t.array(t.int32).nullable().tagged(0),
});

/** What a member of the new consumer protocol owns now, and what it has yet to give up. */
export const ConsumerGroupCurrentMemberAssignmentValue = message({
  name: "ConsumerGroupCurrentMemberAssignmentValue",
  recordType: 8,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    memberEpoch: t.int32,
    previousMemberEpoch: t.int32,
    state: t.int8,
    assignedPartitions: t.array(topicPartitions),
    partitionsPendingRevocation: t.array(topicPartitions),
  },
});
