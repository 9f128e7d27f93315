import { describeClient } from "./client-suite.ts";
import { prepareGo } from "./go-client.ts";

describeClient({
  name: "sarama",
  language: "Go",
  client: await prepareGo("sarama"),
});
