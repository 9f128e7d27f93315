import { brokerConfigs } from "./broker-configs.ts";
import { checkBrokerConfigs } from "./check-broker-configs.ts";
import { checkGroupConfigs } from "./check-group-configs.ts";
import { checkTopicConfigs } from "./check-topic-configs.ts";
import { type ConfigChange, invalidConfig, invalidRequest } from "./config-change.ts";
import type { ConfigDefinition } from "./definition.ts";
import type { BrokerLayers, ConfigTexts } from "./effective-values.ts";
import { groupConfigs } from "./group-configs.ts";
import { topicConfigs } from "./topic-configs.ts";

/** What the configs belong to: a topic, one broker, all brokers (the broker resource without a name) or a group. */
export type ConfigTarget =
  | { readonly kind: "topic" }
  | { readonly kind: "broker" | "clusterDefault"; readonly layers: BrokerLayers }
  | { readonly kind: "group"; readonly layers: BrokerLayers };

/** One config of AlterConfigs or CreateTopics. */
export interface ConfigSetting {
  readonly name: string;
  readonly value: string | null;
}

/** One change of IncrementalAlterConfigs (KIP-339); the operation is the number on the wire. */
export interface ConfigOperation extends ConfigSetting {
  readonly configOperation: number;
}

const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

/** The configs that a new topic is created with; of a repeated one the last counts, as in Kafka. */
export function createTopicConfigs(settings: readonly ConfigSetting[]): ConfigChange {
  const nulls = settings.filter(({ value }) => value === null).map(({ name }) => name);
  if (nulls.length > 0)
    return invalidConfig(`Null value not supported for topic configs: ${nulls.join(",")}`);
  return check({ kind: "topic" }, new Map(textsOf(settings)));
}

/** AlterConfigs: the settings become all there is, and what they do not name returns to its default. */
export function alterConfigs(target: ConfigTarget, settings: readonly ConfigSetting[]): ConfigChange {
  return malformed(settings) ?? check(target, new Map(textsOf(settings)));
}

/** IncrementalAlterConfigs: the operations are applied to `current` together, or not at all. */
export function incrementalAlterConfigs(
  target: ConfigTarget,
  current: ConfigTexts,
  changes: readonly ConfigOperation[],
): ConfigChange {
  const refusal = malformed(
    changes.filter(({ configOperation }) => configOperation !== operations.delete),
    changes,
  );
  if (refusal) return refusal;

  const texts = new Map(current);
  for (const change of changes) {
    const failure = apply(target, texts, change);
    if (failure) return failure;
  }
  return check(target, texts);
}

function malformed(
  valued: readonly ConfigSetting[],
  all: readonly ConfigSetting[] = valued,
): ConfigChange | undefined {
  if (new Set(all.map(({ name }) => name)).size !== all.length) {
    return invalidRequest("Error due to duplicate config keys");
  }
  const nulls = valued.filter(({ value }) => value === null).map(({ name }) => name);
  return nulls.length > 0 ? invalidRequest(`Null value not supported for : ${nulls.join(", ")}`) : undefined;
}

/** Applies one operation to `texts`; the refusal where it cannot. */
function apply(
  target: ConfigTarget,
  texts: Map<string, string>,
  { name, value, configOperation }: ConfigOperation,
): ConfigChange | undefined {
  switch (configOperation) {
    case operations.set:
      texts.set(name, value ?? "");
      return undefined;
    case operations.delete:
      texts.delete(name);
      return undefined;
    case operations.append:
    case operations.subtract: {
      const isAppend = configOperation === operations.append;
      const definition = tableOf(target).get(name);
      if (definition?.type !== "LIST")
        return notAList(target, { name, isAppend, isKnown: definition !== undefined });
      const items = itemsOf(texts.get(name) ?? definition.defaultValue ?? "");
      texts.set(name, combine(items, itemsOf(value ?? ""), isAppend).join(","));
      return undefined;
    }
    default:
      return invalidRequest(`Unknown operations type ${configOperation}`);
  }
}

/** An append begins from the default, not from what the topic inherits: so does Kafka's controller. */
function combine(
  items: readonly string[],
  operands: readonly string[],
  isAppend: boolean,
): readonly string[] {
  return isAppend ? [...new Set([...items, ...operands])] : items.filter((item) => !operands.includes(item));
}

function itemsOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function notAList(
  target: ConfigTarget,
  { name, isAppend, isKnown }: { name: string; isAppend: boolean; isKnown: boolean },
): ConfigChange {
  if (target.kind === "topic" || target.kind === "group") {
    return invalidConfig(
      `Can't ${isAppend ? "APPEND" : "SUBTRACT"} to key ${name} because its type is not LIST.`,
    );
  }
  if (!isKnown) return invalidConfig(`Unknown config name: ${name}`);
  return invalidConfig(
    `Config value ${isAppend ? "append" : "subtract"} is not allowed for config key: ${name}`,
  );
}

/** Checks all texts, not the changed ones alone: two values may contradict each other. */
function check(target: ConfigTarget, texts: ConfigTexts): ConfigChange {
  switch (target.kind) {
    case "topic":
      return checkTopicConfigs(texts) ?? { kind: "changed", texts };
    case "group":
      return checkGroupConfigs(texts, target.layers) ?? { kind: "changed", texts };
    case "broker":
    case "clusterDefault":
      return (
        checkBrokerConfigs(texts, { layers: target.layers, isPerBroker: target.kind === "broker" }) ?? {
          kind: "changed",
          texts,
        }
      );
    default:
      return target satisfies never;
  }
}

function tableOf(target: ConfigTarget): ReadonlyMap<string, ConfigDefinition> {
  if (target.kind === "topic") return topicConfigs;
  return target.kind === "group" ? groupConfigs : brokerConfigs;
}

function textsOf(settings: readonly ConfigSetting[]): readonly (readonly [string, string])[] {
  return settings.map(({ name, value }) => [name, value ?? ""] as const);
}
