import type { ConfigType } from "./config-value.ts";
import type { Validator } from "./validator.ts";

/** Who may change a config, and where: at start only, for one broker, for the cluster, a topic or a group (KIP-226). */
export type UpdateMode = "read-only" | "per-broker" | "cluster-wide" | "topic" | "group";

export type Importance = "high" | "medium" | "low";

/** One config as data; its values travel as text and are parsed by `parseConfigValue`. */
export interface ConfigDefinition {
  readonly name: string;
  readonly type: ConfigType;
  /** As text; null where unset is a value of its own. */
  readonly defaultValue: string | null;
  readonly validator: Validator | undefined;
  readonly importance: Importance;
  readonly updateMode: UpdateMode;
  /** Broker configs that give a topic's config its value, the strongest first. */
  readonly brokerSynonyms: readonly string[];
  /** Kafka keeps these out of its documentation: for its own tests and tuning. */
  readonly isInternal: boolean;
  /** False where Millrace takes and describes the config, but nothing follows from it. */
  readonly acts: boolean;
  /** One sentence for a config that acts, else null. */
  readonly documentation: string | null;
}

/** A default as a table writes it; numbers past 2^53 are written as text. */
export type Default = string | number | boolean | null;

/** The columns of a definition that are not the usual: medium importance, read-only, no validator, without effect. */
export interface ConfigTraits {
  readonly validator?: Validator;
  readonly importance?: Importance;
  readonly update?: UpdateMode;
  readonly synonyms?: readonly string[];
  readonly internal?: boolean;
  /** What the config does in Millrace, in one sentence: its presence says that the config acts. */
  readonly does?: string;
}

/** The largest LONG, by which Kafka means "never" or "no limit". */
export const longMax = "9223372036854775807";

export const boolean = defineAs("BOOLEAN");
export const string = defineAs("STRING");
export const int = defineAs("INT");
export const short = defineAs("SHORT");
export const long = defineAs("LONG");
export const double = defineAs("DOUBLE");
export const list = defineAs("LIST");
export const className = defineAs("CLASS");
export const password = defineAs("PASSWORD");

/** A password's value is never described, logged or put into a message. */
export function isSensitive(definition: ConfigDefinition): boolean {
  return definition.type === "PASSWORD";
}

/** A table by name; a name that is defined twice is a bug. */
export function tableOf(
  ...parts: readonly (readonly ConfigDefinition[])[]
): ReadonlyMap<string, ConfigDefinition> {
  const definitions = parts.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
  const table = new Map(definitions.map((definition) => [definition.name, definition]));
  if (table.size !== definitions.length)
    throw new Error("Cannot build a config table: a name is defined twice");
  return table;
}

/** Definitions whose place decides who may change them. */
export function withUpdateMode(
  updateMode: UpdateMode,
  definitions: readonly ConfigDefinition[],
): readonly ConfigDefinition[] {
  return definitions.map((definition) => Object.freeze({ ...definition, updateMode }));
}

function defineAs(type: ConfigType) {
  return (name: string, defaultValue: Default, traits: ConfigTraits = {}): ConfigDefinition =>
    Object.freeze({
      name,
      type,
      defaultValue: defaultValue === null ? null : String(defaultValue),
      validator: traits.validator,
      importance: traits.importance ?? "medium",
      updateMode: traits.update ?? "read-only",
      brokerSynonyms: traits.synonyms ?? [],
      isInternal: traits.internal ?? false,
      acts: traits.does !== undefined,
      documentation: traits.does ?? null,
    });
}
