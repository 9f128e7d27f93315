import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a streams group's member. */
export const StreamsGroupMemberMetadataKey = message({
  name: "StreamsGroupMemberMetadataKey",
  recordType: 19,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
    memberId: t.string,
  },
});

/** What a streams group's member said about itself. */
export const StreamsGroupMemberMetadataValue = message({
  name: "StreamsGroupMemberMetadataValue",
  recordType: 19,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    instanceId: t.string.nullable(),
    rackId: t.string.nullable(),
    clientId: t.string,
    clientHost: t.string,
    rebalanceTimeoutMs: t.int32.default(-1),
    topologyEpoch: t.int32,
    processId: t.string,
    userEndpoint: t
      .struct({
        host: t.string,
        port: t.uint16,
      })
      .nullable(),
    clientTags: t.array({
      key: t.string,
      value: t.string,
    }),
  },
});
