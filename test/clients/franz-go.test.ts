import { describeClient } from "./client-suite.ts";
import { prepareGo } from "./go-client.ts";

describeClient({
  name: "franz-go",
  language: "Go",
  client: await prepareGo("franz-go"),
});
