import { brokerConfigs } from "./broker-configs.ts";
import { type ConfigRefusal, invalidConfig } from "./config-change.ts";
import { type BrokerLayers, brokerValue, type ConfigTexts, groupValue } from "./effective-values.ts";
import { groupConfigs } from "./group-configs.ts";
import { parseConfigValue } from "./parse-config-value.ts";

/** Checks all configs that are set on a group, each by itself, against the broker's bounds, and together. */
export function checkGroupConfigs(texts: ConfigTexts, layers: BrokerLayers): ConfigRefusal | undefined {
  for (const [name, text] of texts) {
    const definition = groupConfigs.get(name);
    if (!definition) return invalidConfig(`Unknown group config name: ${name}`);
    const parsed = parseConfigValue(definition, text);
    if (parsed.kind === "invalid") return invalidConfig(parsed.message);
    const outside = typeof parsed.value === "number" ? boundComplaint(name, parsed.value, layers) : undefined;
    if (outside) return invalidConfig(outside);
  }
  for (const protocol of ["consumer", "share", "streams"]) {
    const session = `${protocol}.session.timeout.ms`;
    const heartbeat = `${protocol}.heartbeat.interval.ms`;
    if (Number(groupValue(session, texts, layers)) <= Number(groupValue(heartbeat, texts, layers))) {
      return invalidConfig(`${session} must be greater than ${heartbeat}`);
    }
  }
  return undefined;
}

/** A group's `consumer.x` lies between the broker's `group.consumer.min.x` and `group.consumer.max.x`. */
function boundComplaint(name: string, value: number, layers: BrokerLayers): string | undefined {
  const [protocol = "", ...words] = name.split(".");
  const rest = words.join(".").replace(/^num\./, "");
  const min = `group.${protocol}.min.${rest}`;
  const max = `group.${protocol}.max.${rest}`;
  if (brokerConfigs.has(min) && value < Number(brokerValue(min, layers))) {
    return `${name} must be greater than or equal to ${min}`;
  }
  if (brokerConfigs.has(max) && value > Number(brokerValue(max, layers))) {
    return `${name} must be less than or equal to ${max}`;
  }
  return undefined;
}
