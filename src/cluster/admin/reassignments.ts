import { ErrorCode } from "#protocol/error-codes.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type timedOut, within } from "../../runtime/time-limit.ts";
import type { CommandResult } from "../metadata/apply-command.ts";
import type { MetadataImage, PartitionImage } from "../metadata/metadata-image.ts";
import type { MetadataStore } from "../metadata/metadata-store.ts";
import { isReassigning, originOf } from "../metadata/partition-move.ts";
import { type AdminError, adminErrorOf, refuse } from "./admin-error.ts";
import { problemOfReplicas } from "./replica-list.ts";
import type { TimeLimit } from "./topic-admin.ts";

/** A partition and the nodes that are to hold it, the preferred leader first; null takes a move back. */
export interface ReassignmentWish {
  readonly topic: string;
  readonly partition: number;
  readonly replicas: readonly number[] | null;
}

/** A move that is under way, as Kafka shows it. */
export interface OngoingReassignment {
  readonly topic: string;
  readonly partition: PartitionImage;
}

export interface ReassignmentsOptions {
  readonly metadata: MetadataStore;
  readonly clock: Clock;
}

/** Wishes of one request that are proposed at the same time. */
const proposalsMax = 500;

/** Moves partitions to other nodes (KIP-455): judges a wish against the image and proposes it; the groups' leaders do the rest. */
export class Reassignments {
  readonly #options: ReassignmentsOptions;

  constructor(options: ReassignmentsOptions) {
    this.#options = options;
  }

  /** Begins and takes back moves, each on its own; the answers are in the order of the wishes. */
  async alter(
    wishes: readonly ReassignmentWish[],
    { limitMs, mayChangeFactor = true }: TimeLimit & { mayChangeFactor?: boolean },
  ): Promise<readonly AdminError[] | typeof timedOut> {
    return await within(this.#options.clock, limitMs, this.#alterAll(wishes, mayChangeFactor));
  }

  /** The moves that are under way, of all topics or of those named. */
  list(
    wanted: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[] | null,
  ): OngoingReassignment[] {
    const { topics } = this.#options.metadata.image;
    const ongoing: OngoingReassignment[] = [];
    for (const { name, partitionIndexes } of wanted ?? allOf(topics)) {
      for (const index of new Set(partitionIndexes)) {
        const partition = topics.get(name)?.partitions[index];
        if (partition && isReassigning(partition)) ongoing.push({ topic: name, partition });
      }
    }
    return ongoing;
  }

  async #alterAll(wishes: readonly ReassignmentWish[], mayChangeFactor: boolean): Promise<AdminError[]> {
    const outcomes: AdminError[] = [];
    for (let start = 0; start < wishes.length; start += proposalsMax) {
      const some = wishes.slice(start, start + proposalsMax);
      outcomes.push(...(await Promise.all(some.map((wish) => this.#alterOne(wish, mayChangeFactor)))));
    }
    return outcomes;
  }

  async #alterOne(wish: ReassignmentWish, mayChangeFactor: boolean): Promise<AdminError> {
    const { metadata } = this.#options;
    const { topic: name, partition: index, replicas } = wish;
    const topic = metadata.image.topics.get(name);
    if (!topic) {
      return refuse(ErrorCode.unknownTopicOrPartition, `Cannot find topic "${name}"`);
    }
    const partition = topic.partitions[index];
    if (!partition)
      return refuse(ErrorCode.unknownTopicOrPartition, `Cannot find partition "${name}-${index}"`);
    if (replicas === null) {
      return outcomeOf(
        await metadata.propose({ kind: "cancelMove", topicId: topic.id, partition: index }),
        wish,
      );
    }
    const problem =
      problemOfReplicas(metadata.image, replicas) ??
      (mayChangeFactor ? undefined : problemOfFactor(partition, replicas));
    if (problem) return problem;
    return outcomeOf(
      await metadata.propose({ kind: "setReplicas", topicId: topic.id, partition: index, replicas }),
      wish,
    );
  }
}

function* allOf(
  topics: MetadataImage["topics"],
): Generator<{ readonly name: string; readonly partitionIndexes: readonly number[] }> {
  for (const { name, partitions } of topics.values()) {
    yield { name, partitionIndexes: partitions.map(({ index }) => index) };
  }
}

/** KIP-860: some want to move replicas, and never to have fewer or more of them. */
function problemOfFactor(partition: PartitionImage, replicas: readonly number[]): AdminError | undefined {
  const { length } = originOf(partition);
  if (length === replicas.length) return undefined;
  return refuse(
    ErrorCode.invalidReplicationFactor,
    `Cannot change the replication factor from ${length} to ${replicas.length}: the request does not allow it`,
  );
}

function outcomeOf(result: CommandResult, { topic, partition }: ReassignmentWish): AdminError {
  switch (result.kind) {
    case "unknownTopic":
    case "unknownPartition":
      return refuse(ErrorCode.unknownTopicOrPartition, `Cannot find partition "${topic}-${partition}"`);
    case "noMove":
      return refuse(
        ErrorCode.noReassignmentInProgress,
        `Partition "${topic}-${partition}" is not being moved`,
      );
    default:
      return adminErrorOf(result);
  }
}
