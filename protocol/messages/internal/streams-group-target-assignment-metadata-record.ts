import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a streams group's target assignment. */
export const StreamsGroupTargetAssignmentMetadataKey = message({
  name: "StreamsGroupTargetAssignmentMetadataKey",
  recordType: 20,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
  },
});

/** The epoch of a streams group's target assignment. */
export const StreamsGroupTargetAssignmentMetadataValue = message({
  name: "StreamsGroupTargetAssignmentMetadataValue",
  recordType: 20,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    assignmentEpoch: t.int32,
    assignmentTimestamp: t.int64.tagged(0).ignorable(),
  },
});
