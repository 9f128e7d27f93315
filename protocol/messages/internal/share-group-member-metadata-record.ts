import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a share group's member. */
export const ShareGroupMemberMetadataKey = message({
  name: "ShareGroupMemberMetadataKey",
  recordType: 10,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
    memberId: t.string,
  },
});

/** What a share group's member said about itself. */
export const ShareGroupMemberMetadataValue = message({
  name: "ShareGroupMemberMetadataValue",
  recordType: 10,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    rackId: t.string.nullable(),
    clientId: t.string,
    clientHost: t.string,
    subscribedTopicNames: t.array(t.string),
  },
});
