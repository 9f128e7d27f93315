import { fileURLToPath } from "node:url";
import { describeClient } from "./client-suite.ts";

// Its own suite, test/integration/platformatic, goes further; this one puts it beside the others.
describeClient({
  name: "@platformatic/kafka",
  language: "JavaScript",
  client: {
    kind: "ready",
    program: {
      command: process.execPath,
      arguments: [fileURLToPath(new URL("node/platformatic-driver.ts", import.meta.url))],
    },
  },
});
