import { ErrorCode } from "#protocol/error-codes.ts";
import type { DescribeConfigsRequest, DescribeConfigsResponse } from "#protocol/messages/describe-configs.ts";
import type { ConfigEntry, ConfigQuery } from "../config/config-entry.ts";
import {
  describeBrokerConfigs,
  describeClusterDefaults,
  describeGroupConfigs,
  describeTopicConfigs,
} from "../config/describe-configs.ts";
import { type ConfigResource, resolveResource } from "./config-resource.ts";
import type { ServedBroker } from "./served-broker.ts";

/** Tells the configs of topics, brokers and groups: values, where they come from, what else would apply. */
export function describeConfigs(
  broker: ServedBroker,
  request: DescribeConfigsRequest,
): DescribeConfigsResponse {
  const results = request.resources.map(({ resourceType, resourceName, configurationKeys }) => {
    const resource = resolveResource(broker, { resourceType, resourceName, configNames: configurationKeys });
    if ("errorCode" in resource) return { ...resource, resourceType, resourceName, configs: [] };
    const query = {
      names: configurationKeys,
      includeSynonyms: request.includeSynonyms,
      includeDocumentation: request.includeDocumentation,
    };
    return {
      errorCode: ErrorCode.none,
      errorMessage: null,
      resourceType,
      resourceName,
      configs: entriesOf(broker, resource, query),
    };
  });
  return { results };
}

function entriesOf(
  broker: ServedBroker,
  resource: ConfigResource,
  query: ConfigQuery,
): readonly ConfigEntry[] {
  const layers = broker.configLayers();
  const { overrides } = resource;
  switch (resource.target.kind) {
    case "topic":
      return describeTopicConfigs({ overrides, layers }, query);
    case "broker":
      return describeBrokerConfigs(resource.target.layers, query);
    case "clusterDefault":
      return describeClusterDefaults(layers, query);
    case "group":
      return describeGroupConfigs({ overrides, layers }, query);
    default:
      return resource.target satisfies never;
  }
}
