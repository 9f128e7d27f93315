import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a member of the new consumer protocol. */
export const ConsumerGroupMemberMetadataKey = message({
  name: "ConsumerGroupMemberMetadataKey",
  recordType: 5,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
    memberId: t.string,
  },
});

/** What a member of the new consumer protocol said about itself. */
export const ConsumerGroupMemberMetadataValue = message({
  name: "ConsumerGroupMemberMetadataValue",
  recordType: 5,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    instanceId: t.string.nullable(),
    rackId: t.string.nullable(),
    clientId: t.string,
    clientHost: t.string,
    subscribedTopicNames: t.array(t.string),
    subscribedTopicRegex: t.string.nullable(),
    rebalanceTimeoutMs: t.int32.default(-1),
    serverAssignor: t.string.nullable(),
    // Present while the member still speaks the classic protocol.
    classicMemberMetadata: t
      .struct({
        sessionTimeoutMs: t.int32,
        supportedProtocols: t.array({
          name: t.string,
          metadata: t.bytes,
        }),
      })
      .nullable()
      .tagged(0),
  },
});
