import { ErrorCode } from "#protocol/error-codes.ts";
import type { AlterConfigsRequest, AlterConfigsResponse } from "#protocol/messages/alter-configs.ts";
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from "#protocol/messages/incremental-alter-configs.ts";
import { type AdminError, adminErrorOf, done, outOfTime } from "../cluster/admin/admin-error.ts";
import type { CommandResult } from "../cluster/metadata/apply-command.ts";
import { incrementalAlterConfigs as changed, alterConfigs as replaced } from "../config/alter-configs.ts";
import type { ConfigChange } from "../config/config-change.ts";
import { timedOut, within } from "../runtime/time-limit.ts";
import {
  type ConfigResource,
  type NamedResource,
  resolveResource,
  resourceTypes,
} from "./config-resource.ts";
import type { ServedBroker } from "./served-broker.ts";

interface Answer extends AdminError {
  readonly resourceType: number;
  readonly resourceName: string;
}

interface ChangedResource {
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
    // All configs of a resource, named or not.
    () => null,
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
    ({ configs }) => configs.map(({ name }) => name),
    (resource, { configs }) => changed(resource.target, resource.overrides, configs),
  );
  return { responses };
}

/** One resource after the other, all of them within `request.timeout.ms`: the request has no time limit of its own. */
async function alterEach<R extends ChangedResource>(
  broker: ServedBroker,
  resources: readonly R[],
  validateOnly: boolean,
  namesIn: (request: R) => readonly string[] | null,
  change: (resource: ConfigResource, request: R) => ConfigChange,
): Promise<Answer[]> {
  const keyOf = ({ resourceType, resourceName }: ChangedResource): string =>
    `${resourceType}:${resourceName}`;
  const keys = resources.map(keyOf);
  const deadlineMs = broker.clock.monotonicMs() + broker.config.requestTimeoutMs;
  const answers: Answer[] = [];
  for (const named of resources) {
    const { resourceType, resourceName } = named;
    const isRepeated = keys.indexOf(keyOf(named)) !== keys.lastIndexOf(keyOf(named));
    const outcome = isRepeated
      ? { errorCode: ErrorCode.invalidRequest, errorMessage: "Each resource must appear at most once." }
      : await alterInTurn(broker, deadlineMs, () =>
          alterOne(
            broker,
            { resourceType, resourceName, configNames: namesIn(named) },
            validateOnly,
            (resource) => change(resource, named),
          ),
        );
    answers.push({ ...outcome, resourceType, resourceName });
  }
  return answers;
}

/** What has begun by the deadline may still be done later; what waits for its turn then never is. */
async function alterInTurn(
  broker: ServedBroker,
  deadlineMs: number,
  alter: () => Promise<AdminError>,
): Promise<AdminError> {
  const { clock, metadata } = broker;
  const limitMs = deadlineMs - clock.monotonicMs();
  if (limitMs <= 0 || metadata.isOverloaded) return outOfTime;
  // Given up, it leaves nothing of the request behind in the queue of turns.
  let waiting: (() => Promise<AdminError>) | undefined = alter;
  const altered = metadata.inTurn(async () => (await waiting?.()) ?? outOfTime);
  const outcome = await within(clock, limitMs, altered);
  waiting = undefined;
  return outcome === timedOut ? outOfTime : outcome;
}

/** Works a change out anew where another node was faster with one of the same resource. */
async function alterOne(
  broker: ServedBroker,
  named: NamedResource,
  validateOnly: boolean,
  change: (resource: ConfigResource) => ConfigChange,
): Promise<AdminError> {
  // The empty name stands for all brokers; there is nothing like it for topics.
  if (named.resourceType === resourceTypes.topic && named.resourceName === "") {
    return { errorCode: ErrorCode.invalidRequest, errorMessage: "Topic name must not be empty" };
  }
  for (let tries = 0; tries < triesMax; tries++) {
    const resource = resolveResource(broker, named);
    if ("errorCode" in resource) return resource;
    const wanted = change(resource);
    if (wanted.kind === "refused") {
      return { errorCode: refusalCodes[wanted.error], errorMessage: wanted.message };
    }
    if (validateOnly) return done;
    const result = await broker.metadata.propose({
      kind: "setConfigs",
      resource: resource.kind,
      name: resource.name,
      configs: Object.fromEntries(wanted.texts),
      expected: { texts: Object.fromEntries(resource.overrides) },
    });
    if (result.kind !== "configsChanged") return outcomeOf(result);
  }
  return outOfTime;
}

function outcomeOf(result: CommandResult): AdminError {
  switch (result.kind) {
    case "tooLarge": {
      const errorMessage = `The configs take ${result.sizeBytes} bytes, which is too much`;
      return { errorCode: ErrorCode.policyViolation, errorMessage };
    }
    default:
      return adminErrorOf(result);
  }
}

/** Changes of one resource by other nodes that one request bears with. */
const triesMax = 20;

const refusalCodes = {
  INVALID_CONFIG: ErrorCode.invalidConfig,
  INVALID_REQUEST: ErrorCode.invalidRequest,
} as const;
