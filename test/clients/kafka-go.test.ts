import { describeClient } from "./client-suite.ts";
import { prepareGo } from "./go-client.ts";

describeClient({
  name: "kafka-go",
  language: "Go",
  client: await prepareGo("kafka-go"),
  lacks: ["idempotence"],
});
