import { fileURLToPath } from "node:url";
import { describeClient } from "./client-suite.ts";

// Its own suite, test/integration/kafkajs, goes further; this one puts it beside the others.
describeClient({
  name: "kafkajs",
  language: "JavaScript",
  client: {
    kind: "ready",
    program: {
      command: process.execPath,
      arguments: [fileURLToPath(new URL("node/kafkajs-driver.ts", import.meta.url))],
    },
  },
  // It reads in groups only.
  lacks: ["manual assignment"],
});
