import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a subscription pattern of a group. */
export const ConsumerGroupRegularExpressionKey = message({
  name: "ConsumerGroupRegularExpressionKey",
  recordType: 16,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
    regularExpression: t.string,
  },
});

/** The topics that a group's subscription pattern resolved to. */
export const ConsumerGroupRegularExpressionValue = message({
  name: "ConsumerGroupRegularExpressionValue",
  recordType: 16,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    topics: t.array(t.string),
    version: t.int64,
    timestamp: t.int64,
  },
});
