import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a streams group member's part of the target assignment. */
export const StreamsGroupTargetAssignmentMemberKey = message({
  name: "StreamsGroupTargetAssignmentMemberKey",
  recordType: 21,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
    memberId: t.string,
  },
});

const taskIds = t.struct({
  subtopologyId: t.string,
  partitions: t.array(t.int32),
});

/** The tasks that a streams group's member is to run in the end. */
export const StreamsGroupTargetAssignmentMemberValue = message({
  name: "StreamsGroupTargetAssignmentMemberValue",
  recordType: 21,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    activeTasks: t.array(taskIds),
    standbyTasks: t.array(taskIds),
    warmupTasks: t.array(taskIds),
  },
});
