import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** What every request starts with; v2 belongs to flexible requests. */
export const RequestHeader = message({
  name: "RequestHeader",
  versions: [1, 2],
  flexibleFrom: 2,
  fields: {
    requestApiKey: t.int16,
    requestApiVersion: t.int16,
    correlationId: t.int32,
    clientId: t.string.nullable().neverFlexible(), // Readable by brokers that do not know the version.
  },
});
