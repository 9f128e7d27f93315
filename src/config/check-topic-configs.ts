import { type ConfigRefusal, invalidConfig } from "./config-change.ts";
import type { ConfigValue } from "./config-value.ts";
import type { ConfigTexts } from "./effective-values.ts";
import { parseConfigValue } from "./parse-config-value.ts";
import { topicConfigs } from "./topic-configs.ts";

/** Checks all configs that are set on a topic, each by itself and together. */
export function checkTopicConfigs(texts: ConfigTexts): ConfigRefusal | undefined {
  const values = new Map<string, ConfigValue>();
  for (const name of texts.keys()) {
    if (!topicConfigs.has(name)) return invalidConfig(`Unknown topic config name: ${name}`);
  }
  for (const definition of topicConfigs.values()) {
    const parsed = parseConfigValue(definition, texts.get(definition.name) ?? definition.defaultValue);
    if (parsed.kind === "invalid") return invalidConfig(parsed.message);
    values.set(definition.name, parsed.value);
  }
  return contradiction(values);
}

function contradiction(values: ReadonlyMap<string, ConfigValue>): ConfigRefusal | undefined {
  const minLag = values.get("min.compaction.lag.ms");
  const maxLag = values.get("max.compaction.lag.ms");
  if (typeof minLag === "bigint" && typeof maxLag === "bigint" && minLag > maxLag) {
    return invalidConfig(
      `conflict topic config setting min.compaction.lag.ms (${minLag}) > max.compaction.lag.ms (${maxLag})`,
    );
  }
  if (values.get("remote.storage.enable") === true) {
    return invalidConfig(
      "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.",
    );
  }
  return undefined;
}
