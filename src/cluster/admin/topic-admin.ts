import { ErrorCode } from "#protocol/error-codes.ts";
import { createTopicConfigs } from "../../config/alter-configs.ts";
import type { BrokerConfig } from "../../config/broker-config.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Identity } from "../../runtime/identity.ts";
import { timedOut, within } from "../../runtime/time-limit.ts";
import type { CommandResult } from "../metadata/apply-command.ts";
import type { BrokerRegistration } from "../metadata/metadata-command.ts";
import type { MetadataImage, TopicImage } from "../metadata/metadata-image.ts";
import { collidingTopic, internalTopics } from "../metadata/metadata-image.ts";
import type { MetadataStore } from "../metadata/metadata-store.ts";
import { nodesForReplicas } from "../metadata/node-state.ts";
import { targetOf } from "../metadata/partition-move.ts";
import { isValidTopicName } from "../metadata/topic-name.ts";
import { placeReplicas } from "../replicas/placement.ts";
import { type AdminError, adminErrorOf, done, outOfTime, refuse } from "./admin-error.ts";
import { problemOfReplicas } from "./replica-list.ts";

/** A topic as somebody wants it; -1 leaves a count to the broker's config. */
export interface TopicSpec {
  readonly name: string;
  readonly partitionCount: number;
  readonly replicationFactor: number;
  /** Replicas by partition index; empty leaves the placement to the broker. */
  readonly assignments: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[];
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

export type TopicResult =
  | { readonly errorCode: typeof ErrorCode.none; readonly topic: PlannedTopic }
  | AdminError;

/** A topic that was made, or would be. */
export interface PlannedTopic {
  readonly name: string;
  /** Undefined where it was only validated. */
  readonly id: string | undefined;
  readonly partitions: readonly (readonly number[])[];
  readonly configs: Readonly<Record<string, string>>;
}

/** Waits until the partitions of a topic serve. */
export interface PartitionReadiness {
  whenReady(topicId: string): Promise<void>;
}

export interface TopicAdminOptions {
  readonly metadata: MetadataStore;
  readonly readiness: PartitionReadiness;
  /** Whether a node can be talked to now; every one, unless told. */
  readonly isReachable?: (nodeId: number) => boolean;
  readonly config: () => BrokerConfig;
  readonly clock: Clock;
  readonly identity: Identity;
}

/**
 * How long somebody waits for a change, in ms. What is not done by then is answered with REQUEST_TIMED_OUT and may
 * still be done later; where no time is left to begin with nothing is begun, as in Kafka.
 */
export interface TimeLimit {
  readonly limitMs: number;
}

/** Where Kafka keeps the cluster's metadata: never a topic that clients could use. */
export const metadataTopic = "__cluster_metadata";

/** Partitions that one topic may get in one request, as in Kafka. */
const partitionsPerRequestMax = 10_000;

/** Makes, grows and removes topics: judges a wish against the image, proposes it, waits until it serves. */
export class TopicAdmin {
  readonly #options: TopicAdminOptions;

  constructor(options: TopicAdminOptions) {
    this.#options = options;
  }

  /** Makes a topic; with `validateOnly` just says whether that would go. */
  create(spec: TopicSpec, options: TimeLimit & { validateOnly: boolean }): Promise<TopicResult> {
    return this.#inTime(options, async () => {
      const planned = this.#plan(spec);
      if (planned.errorCode !== ErrorCode.none || options.validateOnly) return planned;
      return this.#make((planned as { topic: PlannedTopic }).topic);
    });
  }

  async #make(topic: PlannedTopic): Promise<TopicResult> {
    const topicId = this.#options.identity.newUuid();
    const result = await this.#options.metadata.propose({
      kind: "createTopic",
      name: topic.name,
      topicId,
      partitions: topic.partitions,
      configs: topic.configs,
    });
    if (result.kind !== "done") return outcomeOf(result, topic.name);
    await this.#options.readiness.whenReady(topicId);
    return { errorCode: ErrorCode.none, topic: { ...topic, id: topicId } };
  }

  /** Makes a topic that a client mentioned, with the broker's defaults. */
  async createAutomatically(name: string): Promise<ErrorCode> {
    const config = this.#options.config();
    const isInternal = internalTopics.has(name);
    const result = await this.create(
      {
        name,
        partitionCount: isInternal ? config.offsets.topicPartitions : -1,
        replicationFactor: isInternal
          ? Math.min(config.offsets.topicReplicationFactor, nodesForReplicas(this.#image).length)
          : -1,
        assignments: [],
        configs: isInternal
          ? [
              { name: "cleanup.policy", value: "compact" },
              { name: "compression.type", value: "producer" },
              { name: "segment.bytes", value: String(config.offsets.topicSegmentBytes) },
            ]
          : [],
      },
      { validateOnly: false, limitMs: config.requestTimeoutMs },
    );
    // Somebody else was faster: just as good.
    return result.errorCode === ErrorCode.topicAlreadyExists ? ErrorCode.none : result.errorCode;
  }

  /** Removes a topic and its data. */
  delete(topic: TopicImage, limit: TimeLimit): Promise<AdminError> {
    return this.#inTime(limit, async () => {
      const result = await this.#options.metadata.propose({ kind: "deleteTopic", topicId: topic.id });
      return outcomeOf(result, topic.name);
    });
  }

  /** Grows a topic to `partitionCount`. */
  addPartitions(
    name: string,
    partitionCount: number,
    assignments: readonly { readonly brokerIds: readonly number[] }[] | null,
    options: TimeLimit & { validateOnly: boolean },
  ): Promise<AdminError> {
    return this.#inTime(options, () => this.#grow(name, partitionCount, assignments, options));
  }

  async #grow(
    name: string,
    partitionCount: number,
    assignments: readonly { readonly brokerIds: readonly number[] }[] | null,
    { validateOnly }: { validateOnly: boolean },
  ): Promise<AdminError> {
    const topic = this.#image.topics.get(name);
    if (!topic) return refuse(ErrorCode.unknownTopicOrPartition, null);
    const added = partitionCount - topic.partitions.length;
    const problem = this.#problemOfGrowth(topic, partitionCount, assignments);
    if (problem) return problem;
    if (validateOnly) return done;

    const nodes = nodesForReplicas(this.#image);
    // As many replicas as the topic's others have, or as there are nodes to have them just now.
    const [first] = topic.partitions;
    const factor = Math.min(first ? targetOf(first).length : 1, nodes.length);
    const start = this.#start + topic.partitions.length;
    const placed = placeReplicas(this.#nodesFor(factor), {
      partitionCount: added,
      replicationFactor: factor,
      start,
    });
    const result = await this.#options.metadata.propose({
      kind: "addPartitions",
      topicId: topic.id,
      existing: topic.partitions.length,
      partitions: assignments?.map(({ brokerIds }) => brokerIds) ?? placed,
    });
    if (result.kind === "done") await this.#options.readiness.whenReady(topic.id);
    return outcomeOf(result, name);
  }

  async #inTime<T>({ limitMs }: TimeLimit, change: () => Promise<T>): Promise<T | AdminError> {
    if (limitMs <= 0) return outOfTime;
    const outcome = await within(this.#options.clock, limitMs, change());
    return outcome === timedOut ? outOfTime : outcome;
  }

  #plan(spec: TopicSpec): TopicResult {
    const image = this.#image;
    if (!isValidTopicName(spec.name)) {
      return refuse(
        ErrorCode.invalidTopicException,
        `Cannot create topic "${spec.name}": a name has 1 to 249 of the characters a-z, A-Z, 0-9, ".", "_" and "-", and is not "." or ".."`,
      );
    }
    if (spec.name === metadataTopic) {
      return refuse(ErrorCode.invalidRequest, `Creation of internal topic ${metadataTopic} is prohibited.`);
    }
    if (image.topics.has(spec.name)) {
      return refuse(ErrorCode.topicAlreadyExists, `Topic '${spec.name}' already exists.`);
    }
    const collision = collidingTopic(image, spec.name);
    if (collision !== undefined) return refuseCollision(spec.name, collision);

    const placement = spec.assignments.length > 0 ? this.#assigned(spec) : this.#placed(spec);
    if ("errorCode" in placement) return placement;

    const configs = createTopicConfigs(spec.configs);
    if (configs.kind === "refused") return refuse(ErrorCode.invalidConfig, configs.message);
    return {
      errorCode: ErrorCode.none,
      topic: {
        name: spec.name,
        id: undefined,
        partitions: placement.partitions,
        configs: Object.fromEntries(configs.texts),
      },
    };
  }

  #placed(spec: TopicSpec): { partitions: number[][] } | AdminError {
    const config = this.#options.config();
    const count = spec.partitionCount === -1 ? config.numPartitions : spec.partitionCount;
    const factor = spec.replicationFactor === -1 ? config.defaultReplicationFactor : spec.replicationFactor;
    if (count <= 0) {
      return refuse(
        ErrorCode.invalidPartitions,
        "Number of partitions was set to an invalid non-positive value.",
      );
    }
    if (count > partitionsPerRequestMax) return tooManyPartitions(count);
    if (factor <= 0) {
      return refuse(ErrorCode.invalidReplicationFactor, "Replication factor must be larger than 0.");
    }
    const nodes = nodesForReplicas(this.#image);
    if (factor > nodes.length) {
      return refuse(
        ErrorCode.invalidReplicationFactor,
        `Unable to replicate the partition ${factor} time(s): The target replication factor of ${factor} cannot be reached because only ${nodes.length} broker(s) take new replicas.`,
      );
    }
    const partitions = placeReplicas(this.#nodesFor(factor), {
      partitionCount: count,
      replicationFactor: factor,
      start: this.#start,
    });
    return { partitions };
  }

  get #image(): MetadataImage {
    return this.#options.metadata.image;
  }

  /** Where replicas are put: a node that has just died is not fenced yet, and is left out where the others suffice. */
  #nodesFor(replicationFactor: number): BrokerRegistration[] {
    const { isReachable = () => true } = this.#options;
    const eligible = nodesForReplicas(this.#image);
    const reachable = eligible.filter(({ nodeId }) => isReachable(nodeId));
    return reachable.length >= replicationFactor ? reachable : eligible;
  }

  /** Where to begin to place replicas: somewhere else for each topic, and the same wherever it is worked out. */
  get #start(): number {
    return this.#image.nextGroupId - 1;
  }

  #assigned(spec: TopicSpec): { partitions: (readonly number[])[] } | AdminError {
    if (spec.partitionCount !== -1) {
      return refuse(
        ErrorCode.invalidRequest,
        "A manual partition assignment was specified, but numPartitions was not set to -1.",
      );
    }
    if (spec.replicationFactor !== -1) {
      return refuse(
        ErrorCode.invalidRequest,
        "A manual partition assignment was specified, but replication factor was not set to -1.",
      );
    }
    if (spec.assignments.length > partitionsPerRequestMax) return tooManyPartitions(spec.assignments.length);
    const partitions: (readonly number[])[] = [];
    for (const { partitionIndex, brokerIds } of spec.assignments) {
      if (partitions[partitionIndex]) {
        return refuse(
          ErrorCode.invalidReplicaAssignment,
          `Found multiple manual partition assignments for partition ${partitionIndex}`,
        );
      }
      const problem = problemOfReplicas(this.#image, brokerIds);
      if (problem) return problem;
      partitions[partitionIndex] = brokerIds;
    }
    if (
      Object.keys(partitions).length !== spec.assignments.length ||
      partitions.length !== spec.assignments.length
    ) {
      return refuse(
        ErrorCode.invalidReplicaAssignment,
        "partitions should be a consecutive 0-based integer sequence",
      );
    }
    return { partitions };
  }

  #problemOfGrowth(
    topic: TopicImage,
    partitionCount: number,
    assignments: readonly { readonly brokerIds: readonly number[] }[] | null,
  ): AdminError | undefined {
    const existing = topic.partitions.length;
    const added = partitionCount - existing;
    if (added === 0) {
      return refuse(ErrorCode.invalidPartitions, `Topic already has ${existing} partition(s).`);
    }
    if (added < 0) {
      return refuse(
        ErrorCode.invalidPartitions,
        `The topic ${topic.name} currently has ${existing} partition(s); ${partitionCount} would not be an increase.`,
      );
    }
    if (topic.isInternal) {
      // What lives there is found by a hash over the number of partitions (decision 11).
      return refuse(
        ErrorCode.invalidRequest,
        `Cannot add partitions to "${topic.name}": groups and transactions would lose their place in it`,
      );
    }
    if (added > partitionsPerRequestMax) {
      return refuse(
        ErrorCode.invalidPartitions,
        `Cannot add more than ${partitionsPerRequestMax} partitions at once`,
      );
    }
    if (assignments && assignments.length !== added) {
      return refuse(
        ErrorCode.invalidReplicaAssignment,
        `Attempted to add ${added} additional partition(s), but only ${assignments.length} assignment(s) were specified.`,
      );
    }
    for (const { brokerIds } of assignments ?? []) {
      const problem = problemOfReplicas(this.#image, brokerIds);
      if (problem) return problem;
    }
    return undefined;
  }
}

function tooManyPartitions(count: number): AdminError {
  return refuse(
    ErrorCode.policyViolation,
    `Excessively large number of partitions per request: ${count} is above ${partitionsPerRequestMax}`,
  );
}

function refuseCollision(name: string, other: string): AdminError {
  return refuse(ErrorCode.invalidTopicException, `Topic '${name}' collides with existing topic: ${other}`);
}

/** What the outcome of a topic command means to the one who asked. */
function outcomeOf(result: CommandResult, name: string): AdminError {
  switch (result.kind) {
    case "topicExists":
      return refuse(ErrorCode.topicAlreadyExists, `Topic '${name}' already exists.`);
    case "topicCollides":
      return refuseCollision(name, result.with);
    case "unknownTopic":
      return refuse(ErrorCode.unknownTopicOrPartition, null);
    case "partitionsChanged":
      return refuse(ErrorCode.invalidPartitions, "The topic's partitions were changed at the same time");
    default:
      return adminErrorOf(result);
  }
}
