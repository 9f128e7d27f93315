import { buildBrokerConfig } from "./broker-config.ts";
import { brokerConfigs, dynamicOnlyBrokerConfigs, withoutListenerPrefix } from "./broker-configs.ts";
import { type ConfigRefusal, invalidConfig, invalidRequest } from "./config-change.ts";
import type { UpdateMode } from "./definition.ts";
import type { BrokerLayers, ConfigTexts } from "./effective-values.ts";
import { parseConfigValue } from "./parse-config-value.ts";

/** Which layer the texts would become, and what lies around it. */
export interface BrokerChange {
  readonly layers: BrokerLayers;
  readonly isPerBroker: boolean;
}

/**
 * Checks all configs that would be set on one broker or on all.
 *
 * Kafka answers INVALID_REQUEST for values that it refuses here, and takes names that it does not know, for its
 * plug-ins; Millrace has none, so an unknown name is a mistake.
 */
export function checkBrokerConfigs(
  texts: ConfigTexts,
  { layers, isPerBroker }: BrokerChange,
): ConfigRefusal | undefined {
  const names = [...texts.keys()];
  const unknown = names.find((name) => updateModeOf(name) === undefined);
  if (unknown !== undefined) return invalidConfig(`Unknown config name: ${unknown}`);

  const fixed = names.filter((name) => updateModeOf(name) === "read-only" || isListenerConfig(name));
  if (fixed.length > 0)
    return invalidRequest(`Cannot update these configs dynamically: [${fixed.join(", ")}]`);

  const unprefixed = names.filter((name) => perListenerOnly.has(name));
  if (unprefixed.length > 0) {
    return invalidRequest(
      `These security configs can be dynamically updated only per-listener using the listener prefix: [${unprefixed.join(", ")}]`,
    );
  }
  const invalid = invalidText(texts);
  if (invalid !== undefined) return invalidRequest(invalid);

  const ofOneBroker = names.filter((name) => updateModeOf(name) === "per-broker");
  if (!isPerBroker && ofOneBroker.length > 0) {
    return invalidRequest(
      `Cannot update these configs at default cluster level, broker id must be specified: [${ofOneBroker.join(", ")}]`,
    );
  }
  const changed = isPerBroker ? { ...layers, perBroker: texts } : { ...layers, clusterDefault: texts };
  const built = buildBrokerConfig(changed, { hostName: "localhost" });
  return built.kind === "problems" ? invalidRequest(built.problems.join("; ")) : undefined;
}

function updateModeOf(name: string): UpdateMode | undefined {
  if (dynamicOnlyBrokerConfigs.has(name)) return "cluster-wide";
  return brokerConfigs.get(withoutListenerPrefix(name))?.updateMode;
}

/** Kafka can move its listeners while it runs; here the sockets stay as they were opened. */
function isListenerConfig(name: string): boolean {
  return name === "listeners" || name === "listener.security.protocol.map";
}

function invalidText(texts: ConfigTexts): string | undefined {
  for (const [name, text] of texts) {
    const definition = brokerConfigs.get(withoutListenerPrefix(name));
    const parsed = definition && parseConfigValue(definition, text);
    if (parsed?.kind === "invalid") return parsed.message;
    if (dynamicOnlyBrokerConfigs.has(name) && !/^\d{1,19}$/.test(text.trim())) {
      return `Invalid value ${text} for configuration ${name}: Not a number of type LONG`;
    }
  }
  return undefined;
}

/** A key store belongs to a listener: changing it for all at once would cut off the other ones (KIP-226). */
const perListenerOnly: ReadonlySet<string> = new Set([
  "ssl.key.password",
  "ssl.keystore.certificate.chain",
  "ssl.keystore.key",
  "ssl.keystore.location",
  "ssl.keystore.password",
  "ssl.keystore.type",
  "ssl.truststore.certificates",
  "ssl.truststore.location",
  "ssl.truststore.password",
  "ssl.truststore.type",
]);
