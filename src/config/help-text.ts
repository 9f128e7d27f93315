import { brokerConfigs } from "./broker-configs.ts";

/** What `--help` prints: how configs are given to `program`, and every broker config that acts, with its default. */
export function helpText(program = "npm start --"): string {
  const acting = [...brokerConfigs.values()].filter(({ acts }) => acts);
  const configs = acting.flatMap(({ name, defaultValue, documentation }) => [
    `  --${name}=${defaultValue ?? ""}`,
    `      ${documentation}`,
  ]);
  return [
    `Usage: ${program} [--config FILE] [--NAME=VALUE]...`,
    "",
    "Starts a Millrace broker. Configs have Apache Kafka's names and come, each stronger than the one before,",
    "from the defaults, a properties file (--config), the environment (MILLRACE_LOG_DIRS for log.dirs) and flags.",
    "docs/configuration.md tells more.",
    "",
    "Configs and their defaults:",
    ...configs,
    "",
  ].join("\n");
}
