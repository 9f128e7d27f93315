import { ErrorCode } from "#protocol/error-codes.ts";
import type { AlterConfigsRequest, AlterConfigsResponse } from "#protocol/messages/alter-configs.ts";
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from "#protocol/messages/incremental-alter-configs.ts";
import { incrementalAlterConfigs as changed, alterConfigs as replaced } from "../config/alter-configs.ts";
import type { ConfigChange } from "../config/config-change.ts";
import { type ConfigResource, resolveResource, resourceTypes } from "./config-resource.ts";
import type { ServedBroker } from "./served-broker.ts";

interface Answer {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
  readonly resourceType: number;
  readonly resourceName: string;
}

interface NamedResource {
  readonly resourceType: number;
  readonly resourceName: string;
}

/** Replaces all configs of resources: what is not named returns to its default. */
export async function alterConfigs(
  broker: ServedBroker,
  request: AlterConfigsRequest,
): Promise<AlterConfigsResponse> {
  const responses = await alterEach(
    broker,
    request.resources,
    request.validateOnly,
    (resource, { configs }) => replaced(resource.target, configs),
  );
  return { responses };
}

/** Changes single configs of resources (KIP-339). */
export async function incrementalAlterConfigs(
  broker: ServedBroker,
  request: IncrementalAlterConfigsRequest,
): Promise<IncrementalAlterConfigsResponse> {
  const responses = await alterEach(
    broker,
    request.resources,
    request.validateOnly,
    (resource, { configs }) => changed(resource.target, resource.overrides, configs),
  );
  return { responses };
}

async function alterEach<R extends NamedResource>(
  broker: ServedBroker,
  resources: readonly R[],
  validateOnly: boolean,
  change: (resource: ConfigResource, request: R) => ConfigChange,
): Promise<Answer[]> {
  const keyOf = ({ resourceType, resourceName }: NamedResource): string => `${resourceType}:${resourceName}`;
  const keys = resources.map(keyOf);
  const answers: Answer[] = [];
  for (const named of resources) {
    const { resourceType, resourceName } = named;
    const isRepeated = keys.indexOf(keyOf(named)) !== keys.lastIndexOf(keyOf(named));
    const outcome = isRepeated
      ? { errorCode: ErrorCode.invalidRequest, errorMessage: "Each resource must appear at most once." }
      : await broker.metadata.inTurn(() =>
          alterOne(broker, named, validateOnly, (resource) => change(resource, named)),
        );
    answers.push({ ...outcome, resourceType, resourceName });
  }
  return answers;
}

async function alterOne(
  broker: ServedBroker,
  named: NamedResource,
  validateOnly: boolean,
  change: (resource: ConfigResource) => ConfigChange,
): Promise<{ errorCode: ErrorCode; errorMessage: string | null }> {
  // The empty name stands for all brokers; there is nothing like it for topics.
  if (named.resourceType === resourceTypes.topic && named.resourceName === "") {
    return { errorCode: ErrorCode.invalidRequest, errorMessage: "Topic name must not be empty" };
  }
  const resource = resolveResource(broker, named);
  if ("errorCode" in resource) return resource;
  const outcome = change(resource);
  if (outcome.kind === "refused") {
    return { errorCode: refusalCodes[outcome.error], errorMessage: outcome.message };
  }
  if (!validateOnly) {
    const result = await broker.metadata.propose({
      kind: "setConfigs",
      resource: resource.kind,
      name: resource.name,
      configs: Object.fromEntries(outcome.texts),
    });
    if (result.kind === "tooLarge") {
      const errorMessage = `The configs take ${result.sizeBytes} bytes, which is too much`;
      return { errorCode: ErrorCode.policyViolation, errorMessage };
    }
  }
  return { errorCode: ErrorCode.none, errorMessage: null };
}

const refusalCodes = {
  INVALID_CONFIG: ErrorCode.invalidConfig,
  INVALID_REQUEST: ErrorCode.invalidRequest,
} as const;
