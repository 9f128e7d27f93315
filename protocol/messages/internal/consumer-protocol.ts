import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** What a classic consumer's leader assigns to one member; the broker passes it on unread. */
export const ConsumerProtocolAssignment = message({
  name: "ConsumerProtocolAssignment",
  versions: [0, 3],
  flexibleFrom: "never",
  readsNewer: true,
  fields: {
    assignedPartitions: t.array({
      topic: t.string,
      partitions: t.array(t.int32),
    }),
    userData: t.bytes.nullable(),
  },
});

/** What a classic consumer subscribes to and owns; the broker reads it only to protect offsets in use. */
export const ConsumerProtocolSubscription = message({
  name: "ConsumerProtocolSubscription",
  versions: [0, 3],
  flexibleFrom: "never",
  readsNewer: true,
  fields: {
    topics: t.array(t.string),
    userData: t.bytes.nullable(),
    ownedPartitions: t
      .array({
        topic: t.string,
        partitions: t.array(t.int32),
      })
      .since(1)
      .ignorable(),
    generationId: t.int32.since(2).default(-1).ignorable(),
    rackId: t.string.nullable().since(3).ignorable(),
  },
});
