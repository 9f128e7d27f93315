import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a classic group. */
export const GroupMetadataKey = message({
  name: "GroupMetadataKey",
  recordType: 2,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    group: t.string,
  },
});

/** A classic group's generation with its members, written whenever a generation is complete or empty. */
export const GroupMetadataValue = message({
  name: "GroupMetadataValue",
  recordType: 2,
  versions: [0, 4],
  flexibleFrom: 4,
  fields: {
    protocolType: t.string,
    generation: t.int32,
    protocol: t.string.nullable(),
    leader: t.string.nullable(),
    currentStateTimestamp: t.int64.since(2).default(-1).ignorable(),
    members: t.array({
      memberId: t.string,
      groupInstanceId: t.string.nullable().since(3).ignorable(),
      clientId: t.string,
      clientHost: t.string,
      rebalanceTimeout: t.int32.since(1).default(-1).ignorable(),
      sessionTimeout: t.int32,
      subscription: t.bytes,
      assignment: t.bytes,
    }),
  },
});
