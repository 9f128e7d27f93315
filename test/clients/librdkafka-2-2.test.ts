import { describeClient } from "./client-suite.ts";
import { preparePython } from "./python-client.ts";

// The last age of exact version gates (KAFKA-18659), with the admin calls of librdkafka 2.
describeClient({
  name: "librdkafka 2.2",
  language: "Python, C",
  client: await preparePython({
    module: "librdkafka",
    requirements: ["confluent-kafka==2.2.0"],
    python: "3.11",
  }),
});
