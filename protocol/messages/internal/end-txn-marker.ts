import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Value of a control record that ends a transaction. */
export const EndTxnMarker = message({
  name: "EndTxnMarker",
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    coordinatorEpoch: t.int32,
  },
});
