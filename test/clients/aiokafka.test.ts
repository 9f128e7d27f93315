import { describeClient } from "./client-suite.ts";
import { preparePython } from "./python-client.ts";

describeClient({
  name: "aiokafka",
  language: "Python",
  client: await preparePython({
    module: "aiokafka_client",
    requirements: ["aiokafka==0.14.0", "cramjam==2.14.0"],
  }),
});
