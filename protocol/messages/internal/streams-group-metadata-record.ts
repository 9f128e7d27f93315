import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a streams group. */
export const StreamsGroupMetadataKey = message({
  name: "StreamsGroupMetadataKey",
  recordType: 17,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
  },
});

/** The epoch of a streams group, and what it was built on. */
export const StreamsGroupMetadataValue = message({
  name: "StreamsGroupMetadataValue",
  recordType: 17,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    epoch: t.int32,
    metadataHash: t.int64,
    validatedTopologyEpoch: t.int32.tagged(0).default(-1),
    lastAssignmentConfigs: t
      .array({
        key: t.string,
        value: t.string,
      })
      .nullable()
      .tagged(1),
  },
});
