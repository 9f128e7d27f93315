import { brokerConfigs } from "./broker-configs.ts";
import type { ConfigValue } from "./config-value.ts";
import type { ConfigDefinition } from "./definition.ts";
import { groupConfigs } from "./group-configs.ts";
import { parseConfigValue } from "./parse-config-value.ts";
import { topicConfigs } from "./topic-configs.ts";

/** Config names to their texts, as set: defaults are not among them. */
export type ConfigTexts = ReadonlyMap<string, string>;

/** What was changed while the cluster runs (KIP-226): for one broker, and for all of them. */
export interface DynamicBrokerConfigs {
  readonly perBroker: ConfigTexts;
  readonly clusterDefault: ConfigTexts;
}

/** All that a broker was told, the strongest first: its own changes, the cluster's, and what it was started with. */
export interface BrokerLayers extends DynamicBrokerConfigs {
  readonly static: ConfigTexts;
}

export const noDynamicConfigs: DynamicBrokerConfigs = { perBroker: new Map(), clusterDefault: new Map() };

/** A broker config's value in force; `name` must be a broker config. */
export function brokerValue(name: string, layers: BrokerLayers): ConfigValue {
  const definition = definitionOf(brokerConfigs, name);
  const texts = [layers.perBroker, layers.clusterDefault, layers.static].map((layer) => layer.get(name));
  return firstValid(definition, texts) ?? defaultOf(definition);
}

/** A topic config's value in force: the topic's own, else the broker's, else the default. */
export function topicValue(name: string, overrides: ConfigTexts, layers: BrokerLayers): ConfigValue {
  const definition = definitionOf(topicConfigs, name);
  const own = firstValid(definition, [overrides.get(name)]);
  const value = own ?? brokerSynonymValue(definition, layers) ?? defaultOf(definition);
  return name === "retention.ms" && typeof value === "bigint" && value < 0n ? -1n : value;
}

/** A group config's value in force. */
export function groupValue(name: string, overrides: ConfigTexts, layers: BrokerLayers): ConfigValue {
  const definition = definitionOf(groupConfigs, name);
  const own = firstValid(definition, [overrides.get(name)]);
  if (own !== undefined) return own;
  return brokerConfigs.has(`group.${name}`) ? brokerValue(`group.${name}`, layers) : defaultOf(definition);
}

/** The first of a topic config's broker configs that has a value, in the topic's unit. */
function brokerSynonymValue(definition: ConfigDefinition, layers: BrokerLayers): ConfigValue | undefined {
  for (const synonym of definition.brokerSynonyms) {
    const value = brokerValue(synonym, layers);
    if (value === null) continue;
    if (synonym.endsWith(".minutes")) return BigInt(Number(value)) * 60_000n;
    if (synonym.endsWith(".hours")) return BigInt(Number(value)) * 3_600_000n;
    return value;
  }
  return undefined;
}

/** Texts are validated before they are stored; one that an older version took and this one refuses is passed over. */
function firstValid(
  definition: ConfigDefinition,
  texts: readonly (string | undefined)[],
): ConfigValue | undefined {
  for (const text of texts) {
    if (text === undefined) continue;
    const parsed = parseConfigValue(definition, text);
    if (parsed.kind === "value") return parsed.value;
  }
  return undefined;
}

function defaultOf(definition: ConfigDefinition): ConfigValue {
  const parsed = parseConfigValue(definition, definition.defaultValue);
  if (parsed.kind === "invalid") throw new Error(`Cannot use a default: ${parsed.message}`);
  return parsed.value;
}

function definitionOf(table: ReadonlyMap<string, ConfigDefinition>, name: string): ConfigDefinition {
  const definition = table.get(name);
  if (!definition) throw new Error(`Cannot look up config "${name}": it is not defined`);
  return definition;
}
