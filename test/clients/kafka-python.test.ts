import { describeClient } from "./client-suite.ts";
import { preparePython } from "./python-client.ts";

describeClient({
  name: "kafka-python 3",
  language: "Python",
  client: await preparePython({
    module: "kafka_python",
    requirements: [
      "kafka-python==3.0.12",
      "crc32c==2.9.post0",
      "lz4==4.4.5",
      "python-snappy==0.7.3",
      "zstandard==0.25.0",
    ],
  }),
});
