import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a group's target assignment. */
export const ConsumerGroupTargetAssignmentMetadataKey = message({
  name: "ConsumerGroupTargetAssignmentMetadataKey",
  recordType: 6,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
  },
});

/** The epoch of a group's target assignment. */
export const ConsumerGroupTargetAssignmentMetadataValue = message({
  name: "ConsumerGroupTargetAssignmentMetadataValue",
  recordType: 6,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    assignmentEpoch: t.int32,
    assignmentTimestamp: t.int64.tagged(0).ignorable(),
  },
});
