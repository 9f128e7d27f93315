import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a share group's partitions. */
export const ShareGroupStatePartitionMetadataKey = message({
  name: "ShareGroupStatePartitionMetadataKey",
  recordType: 15,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
  },
});

const topicPartitionsInfo = t.struct({
  topicId: t.uuid,
  topicName: t.string,
  partitions: t.array(t.int32),
});

/** Which of a share group's partitions have persisted state, and which are about to gain or lose it. */
export const ShareGroupStatePartitionMetadataValue = message({
  name: "ShareGroupStatePartitionMetadataValue",
  recordType: 15,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    initializingTopics: t.array(topicPartitionsInfo),
    initializedTopics: t.array(topicPartitionsInfo),
    deletingTopics: t.array({
      topicId: t.uuid,
      topicName: t.string,
    }),
  },
});
