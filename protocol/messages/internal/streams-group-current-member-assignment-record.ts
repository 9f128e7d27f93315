import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of the tasks that a streams group's member runs now. */
export const StreamsGroupCurrentMemberAssignmentKey = message({
  name: "StreamsGroupCurrentMemberAssignmentKey",
  recordType: 22,
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
  assignmentEpochs: t.array(t.int32).nullable().tagged(0),
});

/** The tasks that a streams group's member runs now, and those it has yet to give up. */
export const StreamsGroupCurrentMemberAssignmentValue = message({
  name: "StreamsGroupCurrentMemberAssignmentValue",
  recordType: 22,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    memberEpoch: t.int32,
    previousMemberEpoch: t.int32,
    state: t.int8,
    activeTasks: t.array(taskIds),
    standbyTasks: t.array(taskIds),
    warmupTasks: t.array(taskIds),
    activeTasksPendingRevocation: t.array(taskIds),
    standbyTasksPendingRevocation: t.array(taskIds),
    warmupTasksPendingRevocation: t.array(taskIds),
  },
});
