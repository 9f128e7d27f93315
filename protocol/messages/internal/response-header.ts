import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** What every response starts with; v1 belongs to flexible responses, but never to ApiVersions. */
export const ResponseHeader = message({
  name: "ResponseHeader",
  versions: [0, 1],
  flexibleFrom: 1,
  fields: {
    correlationId: t.int32,
  },
});
