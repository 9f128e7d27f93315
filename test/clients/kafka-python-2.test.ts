import { describeClient } from "./client-suite.ts";
import { preparePython } from "./python-client.ts";

describeClient({
  name: "kafka-python 2.0",
  language: "Python",
  client: await preparePython({
    module: "kafka_python",
    requirements: [
      "kafka-python==2.0.2",
      "crc32c==2.9.post0",
      "lz4==4.4.5",
      "python-snappy==0.7.3",
      "zstandard==0.25.0",
    ],
    // It does not start on Python 3.12 and newer.
    python: "3.11",
  }),
  lacks: ["idempotence"],
});
