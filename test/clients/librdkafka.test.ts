import { describeClient } from "./client-suite.ts";
import { preparePython } from "./python-client.ts";

describeClient({
  name: "librdkafka 2",
  language: "Python, C",
  client: await preparePython({ module: "librdkafka", requirements: ["confluent-kafka==2.16.1"] }),
});
