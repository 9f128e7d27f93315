import { ErrorCode } from "#protocol/error-codes.ts";
import { configsOf } from "../cluster/metadata/metadata-image.ts";
import { isValidTopicName } from "../cluster/metadata/topic-name.ts";
import type { ConfigTarget } from "../config/alter-configs.ts";
import type { ConfigTexts } from "../config/effective-values.ts";
import { nodeStateConfig } from "../config/millrace-configs.ts";
import type { ServedBroker } from "./served-broker.ts";

/** Resource types on the wire. */
export const resourceTypes = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const;

/** Something that has configs, with those that are set on it now. */
export interface ConfigResource {
  readonly kind: "topic" | "broker" | "group";
  /** "" for all brokers. */
  readonly name: string;
  readonly target: ConfigTarget;
  readonly overrides: ConfigTexts;
}

export interface ResourceError {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string;
}

/** What a request says of one resource. */
export interface NamedResource {
  readonly resourceType: number;
  readonly resourceName: string;
  /** The configs that it is about; null for all. */
  readonly configNames: readonly string[] | null;
}

/** Finds what a request's resource names, or why it cannot be answered for here. */
export function resolveResource(
  broker: ServedBroker,
  { resourceType, resourceName: name, configNames }: NamedResource,
): ConfigResource | ResourceError {
  const { image } = broker.metadata;
  const layers = broker.configLayers();
  switch (resourceType) {
    case resourceTypes.topic:
      if (!isValidTopicName(name)) {
        return {
          errorCode: ErrorCode.invalidTopicException,
          errorMessage: `Topic name "${name}" is invalid`,
        };
      }
      if (!image.topics.has(name)) {
        return {
          errorCode: ErrorCode.unknownTopicOrPartition,
          errorMessage: `The topic '${name}' does not exist.`,
        };
      }
      return { kind: "topic", name, target: { kind: "topic" }, overrides: configsOf(image, "topic", name) };
    case resourceTypes.broker:
      if (name === "") {
        return {
          kind: "broker",
          name,
          target: { kind: "clusterDefault", layers },
          overrides: layers.clusterDefault,
        };
      }
      if (name !== String(broker.config.nodeId)) return otherBroker(broker, name, configNames);
      return { kind: "broker", name, target: { kind: "broker", layers }, overrides: layers.perBroker };
    case resourceTypes.group:
      if (name === "") {
        return { errorCode: ErrorCode.invalidRequest, errorMessage: "Group name must not be empty" };
      }
      return {
        kind: "group",
        name,
        target: { kind: "group", layers },
        overrides: configsOf(image, "group", name),
      };
    default:
      return {
        errorCode: ErrorCode.invalidRequest,
        errorMessage: `Resource type ${resourceType} has no configs here`,
      };
  }
}

/** Only a broker itself knows all its configs; what the cluster keeps of it, any node does, whether it lives or not. */
function otherBroker(
  broker: ServedBroker,
  name: string,
  configNames: readonly string[] | null,
): ConfigResource | ResourceError {
  const { image } = broker.metadata;
  const isRegistered = [...image.brokers.keys()].some((nodeId) => String(nodeId) === name);
  const isOfCluster = configNames?.length === 1 && configNames[0] === nodeStateConfig;
  if (!isRegistered || !isOfCluster) {
    return {
      errorCode: ErrorCode.invalidRequest,
      errorMessage: `Unexpected broker id, expected ${broker.config.nodeId} or empty string, but received ${name}`,
    };
  }
  const overrides = configsOf(image, "broker", name);
  const layers = { ...broker.configLayers(), perBroker: overrides };
  return { kind: "broker", name, target: { kind: "broker", layers }, overrides };
}
