import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** A principal as brokers hand it to each other with forwarded requests. */
export const DefaultPrincipalData = message({
  name: "DefaultPrincipalData",
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    type: t.string,
    name: t.string,
    tokenAuthenticated: t.boolean,
  },
});
