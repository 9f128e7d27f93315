import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a group of the new consumer protocol. */
export const ConsumerGroupMetadataKey = message({
  name: "ConsumerGroupMetadataKey",
  recordType: 3,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
  },
});

/** The epoch of a group of the new consumer protocol. */
export const ConsumerGroupMetadataValue = message({
  name: "ConsumerGroupMetadataValue",
  recordType: 3,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    epoch: t.int32,
    metadataHash: t.int64.tagged(0),
  },
});
