import { ErrorCode } from "#protocol/error-codes.ts";
import { configsOf } from "../cluster/metadata-image.ts";
import { isValidTopicName } from "../cluster/topic-name.ts";
import type { ConfigTarget } from "../config/alter-configs.ts";
import type { ConfigTexts } from "../config/effective-values.ts";
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

/** Finds what a request's resource names, or why it cannot be answered for here. */
export function resolveResource(
  broker: ServedBroker,
  { resourceType, resourceName: name }: { readonly resourceType: number; readonly resourceName: string },
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
      if (name !== String(broker.config.nodeId)) {
        return {
          errorCode: ErrorCode.invalidRequest,
          errorMessage: `Unexpected broker id, expected ${broker.config.nodeId} or empty string, but received ${name}`,
        };
      }
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
