import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of every control record, behind its version: 0 aborts, 1 commits a transaction. */
export const ControlRecordTypeSchema = message({
  name: "ControlRecordTypeSchema",
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    type: t.int16,
  },
});
