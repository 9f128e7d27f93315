import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a share group. */
export const ShareGroupMetadataKey = message({
  name: "ShareGroupMetadataKey",
  recordType: 11,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
  },
});

/** The epoch of a share group. */
export const ShareGroupMetadataValue = message({
  name: "ShareGroupMetadataValue",
  recordType: 11,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    epoch: t.int32,
    metadataHash: t.int64,
  },
});
