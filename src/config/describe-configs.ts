import { brokerConfigs, dynamicOnlyBrokerConfigs } from "./broker-configs.ts";
import {
  type ConfigEntry,
  type ConfigQuery,
  ConfigSource,
  type ConfigSynonym,
  configTypeIds,
  describeEntry,
  selected,
} from "./config-entry.ts";
import { formatConfigValue } from "./config-value.ts";
import type { ConfigDefinition } from "./definition.ts";
import {
  type BrokerLayers,
  brokerValue,
  type ConfigTexts,
  groupValue,
  topicValue,
} from "./effective-values.ts";
import { groupConfigs } from "./group-configs.ts";
import { topicConfigs } from "./topic-configs.ts";

/** A topic or group: what was set on it, over what its broker was told. */
export interface OverriddenConfigs {
  readonly overrides: ConfigTexts;
  readonly layers: BrokerLayers;
}

/** Describes a topic's configs: all of them, each with the value in force and where it comes from. */
export function describeTopicConfigs(
  { overrides, layers }: OverriddenConfigs,
  query: ConfigQuery,
): readonly ConfigEntry[] {
  return selected(topicConfigs, query).map((definition) => {
    const value = topicValue(definition.name, overrides, layers);
    // Kafka lists what is behind the first broker config only: a log.retention.hours that is set alone is a "default".
    const [primary] = definition.brokerSynonyms;
    const inherited = primary === undefined ? [] : brokerSynonyms(primary, layers);
    const own = ownSynonym(definition, overrides, {
      value: formatConfigValue(value, definition.type),
      source: ConfigSource.topic,
    });
    return describeEntry(definition, { value, synonyms: [...own, ...inherited], readOnly: false }, query);
  });
}

/** Describes a broker's configs: all of them. */
export function describeBrokerConfigs(layers: BrokerLayers, query: ConfigQuery): readonly ConfigEntry[] {
  const entries = selected(brokerConfigs, query).map((definition) =>
    describeEntry(
      definition,
      {
        value: brokerValue(definition.name, layers),
        synonyms: brokerSynonyms(definition.name, layers),
        readOnly: definition.updateMode === "read-only",
      },
      query,
    ),
  );
  return [...entries, ...describeDynamicOnly(layers, query)];
}

/** Describes what is set for the whole cluster (the broker resource with an empty name), and nothing else. */
export function describeClusterDefaults(layers: BrokerLayers, query: ConfigQuery): readonly ConfigEntry[] {
  const onlyDefaults = { perBroker: new Map(), clusterDefault: layers.clusterDefault, static: new Map() };
  const entries = selected(brokerConfigs, query)
    .filter(({ name }) => layers.clusterDefault.has(name))
    .map((definition) => {
      const isDefaults = ({ source }: ConfigSynonym): boolean => source === ConfigSource.dynamicDefaultBroker;
      const synonyms = brokerSynonyms(definition.name, onlyDefaults).filter(isDefaults);
      const value = brokerValue(definition.name, onlyDefaults);
      return describeEntry(
        definition,
        { value, synonyms, readOnly: definition.updateMode === "read-only" },
        query,
      );
    });
  return [...entries, ...describeDynamicOnly(onlyDefaults, query)];
}

/** Describes a group's configs; those that no group sets come from the broker's configs behind "group.". */
export function describeGroupConfigs(
  { overrides, layers }: OverriddenConfigs,
  query: ConfigQuery,
): readonly ConfigEntry[] {
  return selected(groupConfigs, query).map((definition) => {
    const value = groupValue(definition.name, overrides, layers);
    const ofBroker = `group.${definition.name}`;
    const inherited = brokerConfigs.has(ofBroker)
      ? brokerSynonyms(ofBroker, layers)
      : synonymsIn(
          new Map([[definition.name, definition.defaultValue ?? ""]]),
          [definition.name],
          ConfigSource.default,
        );
    const own = ownSynonym(definition, overrides, {
      value: formatConfigValue(value, definition.type),
      source: ConfigSource.group,
    });
    return describeEntry(definition, { value, synonyms: [...own, ...inherited], readOnly: false }, query);
  });
}

function ownSynonym(
  { name }: ConfigDefinition,
  overrides: ConfigTexts,
  { value, source }: { value: string | null; source: ConfigSource },
): readonly ConfigSynonym[] {
  return overrides.has(name) ? [{ name, value, source }] : [];
}

/** All places that say something on a broker config, layer by layer, beginning with the first that uses its own name. */
function brokerSynonyms(name: string, layers: BrokerLayers): readonly ConfigSynonym[] {
  const names = synonymNames.get(name) ?? [name];
  const all = [
    ...synonymsIn(layers.perBroker, names, ConfigSource.dynamicBroker),
    ...synonymsIn(layers.clusterDefault, names, ConfigSource.dynamicDefaultBroker),
    ...synonymsIn(layers.static, names, ConfigSource.staticBroker),
    ...synonymsIn(defaultTexts, names, ConfigSource.default),
  ];
  const first = all.findIndex((synonym) => synonym.name === name);
  return first === -1 ? [] : all.slice(first);
}

function synonymsIn(
  texts: ConfigTexts,
  names: readonly string[],
  source: ConfigSource,
): readonly ConfigSynonym[] {
  return names.flatMap((name) => {
    const value = texts.get(name);
    return value === undefined ? [] : [{ name, value, source }];
  });
}

/** Configs that only Kafka's reassignment tool sets, and that have no definition of their own. */
function describeDynamicOnly(layers: BrokerLayers, query: ConfigQuery): readonly ConfigEntry[] {
  const wanted = [...dynamicOnlyBrokerConfigs].filter(
    (name) => !query.names || query.names.length === 0 || query.names.includes(name),
  );
  return wanted.flatMap((name) => {
    const synonyms = brokerSynonyms(name, layers);
    const [strongest] = synonyms;
    if (!strongest) return [];
    return {
      name,
      value: strongest.value,
      readOnly: false,
      isDefault: false,
      configSource: strongest.source,
      isSensitive: false,
      synonyms: query.includeSynonyms ? synonyms : [],
      configType: configTypeIds.LONG,
      documentation: null,
    };
  });
}

/** Broker configs that stand for each other, as the topic configs that inherit from them list them. */
const synonymNames: ReadonlyMap<string, readonly string[]> = new Map(
  [...topicConfigs.values()].flatMap(({ brokerSynonyms: names }) =>
    names.map((name) => [name, names] as const),
  ),
);

const defaultTexts: ConfigTexts = new Map(
  [...brokerConfigs.values()].flatMap((definition) => {
    const { name, type, defaultValue } = definition;
    if (defaultValue === null) return [];
    return [
      [
        name,
        type === "DOUBLE" ? (formatConfigValue(Number(defaultValue), type) ?? "") : defaultValue,
      ] as const,
    ];
  }),
);
