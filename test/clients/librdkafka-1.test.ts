import { describeClient } from "./client-suite.ts";
import { preparePython } from "./python-client.ts";

// Up to 2.11.0 librdkafka turns a feature off where one exact version of an API is not advertised (KAFKA-18659).
describeClient({
  name: "librdkafka 1",
  language: "Python, C",
  client: await preparePython({
    module: "librdkafka",
    requirements: ["confluent-kafka==1.9.2"],
    python: "3.10",
  }),
});
