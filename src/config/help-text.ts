import { brokerConfigs } from "./broker-configs.ts";

/** What `--help` prints: how configs are given to `program`, and every broker config that acts, with its default. */
export function helpText(program = "npm start --"): string {
  const acting = [...brokerConfigs.values()].filter(({ acts }) => acts);
  const configs = acting.flatMap(({ name, defaultValue, documentation }) => [
    `  --${name}=${defaultValue ?? ""}`,
    `      ${documentation}`,
  ]);
  return [
    `Usage: ${program} [--cores N | --local-cluster] [--config FILE] [--NAME=VALUE]...`,
    "",
    "Starts a Millrace broker. Configs have Apache Kafka's names and come, each stronger than the one before,",
    "from the defaults, a properties file (--config), the environment (MILLRACE_LOG_DIRS for log.dirs) and flags.",
    "docs/configuration.md tells more.",
    "",
    "  --cores N        N brokers under one supervisor, one for each core: node ids, ports and the directories below",
    "                   log.dirs count up from the first one's, and all have this host's name as their rack",
    "  --local-cluster  three brokers to try a cluster with, data in data/local-cluster, three replicas of everything",
    "",
    "Configs and their defaults:",
    ...configs,
    "",
  ].join("\n");
}
