import type { ConfigType, ConfigValue } from "./config-value.ts";
import { formatConfigValue } from "./config-value.ts";
import { type ConfigDefinition, isSensitive } from "./definition.ts";

/** Where a described value comes from, by the numbers of DescribeConfigs. */
export const ConfigSource = {
  unknown: 0,
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
  dynamicBrokerLogger: 6,
  clientMetrics: 7,
  group: 8,
} as const;
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource];

/** Config types by the numbers of DescribeConfigs (KIP-569). */
export const configTypeIds: Readonly<Record<ConfigType, number>> = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
};

/** One place from which a value would come, the strongest first. */
export interface ConfigSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: ConfigSource;
}

/** One described config, with DescribeConfigs' field names; `isDefault` is what its version 0 tells instead of a source. */
export interface ConfigEntry {
  readonly name: string;
  /** Null where unset, and always for a password. */
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly isDefault: boolean;
  readonly configSource: ConfigSource;
  readonly isSensitive: boolean;
  readonly synonyms: readonly ConfigSynonym[];
  readonly configType: number;
  readonly documentation: string | null;
}

/** What a client asks to be told. */
export interface ConfigQuery {
  /** Null or empty for all; a name that does not exist is left out of the answer. */
  readonly names: readonly string[] | null;
  readonly includeSynonyms: boolean;
  readonly includeDocumentation: boolean;
}

/** Describes one config; its source is that of the strongest synonym. */
export function describeEntry(
  definition: ConfigDefinition,
  facts: {
    readonly value: ConfigValue;
    readonly synonyms: readonly ConfigSynonym[];
    readonly readOnly: boolean;
  },
  query: ConfigQuery,
): ConfigEntry {
  const hidden = isSensitive(definition);
  const source = facts.synonyms[0]?.source ?? ConfigSource.default;
  return {
    name: definition.name,
    value: hidden ? null : formatConfigValue(facts.value, definition.type),
    readOnly: facts.readOnly,
    isDefault: source === ConfigSource.default,
    configSource: source,
    isSensitive: hidden,
    synonyms: query.includeSynonyms
      ? facts.synonyms.map((synonym) => (hidden ? { ...synonym, value: null } : synonym))
      : [],
    configType: configTypeIds[definition.type],
    documentation: query.includeDocumentation ? definition.documentation : null,
  };
}

/** The definitions that a query asks for. */
export function selected(
  table: ReadonlyMap<string, ConfigDefinition>,
  { names }: ConfigQuery,
): readonly ConfigDefinition[] {
  if (!names || names.length === 0) return [...table.values()];
  return [...new Set(names)].flatMap((name) => table.get(name) ?? []);
}
