import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of the topics that a group was built on; replaced by the metadata hash in Kafka 4.1. */
export const ConsumerGroupPartitionMetadataKey = message({
  name: "ConsumerGroupPartitionMetadataKey",
  recordType: 4,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
  },
});

/** The topics that a group was built on; replaced by the metadata hash in Kafka 4.1. */
export const ConsumerGroupPartitionMetadataValue = message({
  name: "ConsumerGroupPartitionMetadataValue",
  recordType: 4,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    topics: t.array({
      topicId: t.uuid,
      topicName: t.string,
      numPartitions: t.int32,
      partitionMetadata: t.array({
        partition: t.int32,
        racks: t.array(t.string),
      }),
    }),
  },
});
