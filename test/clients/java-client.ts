import { fileURLToPath } from "node:url";
import { kafkaScript, kafkaToolsMissing } from "../integration/kafka-tools/kafka-tools.ts";
import type { PreparedClient } from "./client-suite.ts";

/** The launcher of single source files, as the main class: the script gives it Kafka's class path. */
export const javaLauncher = "com.sun.tools.javac.launcher.Main";

/** Kafka's own Java client, where the script beside the repository can run it. */
export function prepareJava(): PreparedClient {
  if (kafkaToolsMissing) return { kind: "missing", reason: kafkaToolsMissing };
  const source = fileURLToPath(new URL("java/JavaClient.java", import.meta.url));
  return { kind: "ready", program: { command: kafkaScript, arguments: ["tool", javaLauncher, source] } };
}
