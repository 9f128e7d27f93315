import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a share group's target assignment. */
export const ShareGroupTargetAssignmentMetadataKey = message({
  name: "ShareGroupTargetAssignmentMetadataKey",
  recordType: 12,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
  },
});

/** The epoch of a share group's target assignment. */
export const ShareGroupTargetAssignmentMetadataValue = message({
  name: "ShareGroupTargetAssignmentMetadataValue",
  recordType: 12,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    assignmentEpoch: t.int32,
    assignmentTimestamp: t.int64.tagged(0).ignorable(),
  },
});
