import type { EntryId } from "#raft/core/entry.ts";
import type { BrokerRegistration, ConfigOverrides, PartitionMove } from "./metadata-command.ts";
import type { NodeDisks } from "./node-disks.ts";

/** One partition's place in the cluster. */
export interface PartitionImage {
  readonly index: number;
  /** Its Raft group. */
  readonly groupId: number;
  /** During a move all that are there or are to come, those of its target first, as in Kafka. */
  readonly replicas: readonly number[];
  /** Where it is going; absent for nearly all. */
  readonly move?: PartitionMove;
  /** The replicas, as Raft knows them, that its group began with; `replicas` unless told. */
  readonly founders?: readonly number[];
  /**
   * An entry that the group committed when it was last known to consist of the target alone. A node without a replica
   * whose log has it got it later: it has been taken back, and an image that says so is on its way.
   */
  readonly settledAt?: EntryId;
}

export interface TopicImage {
  readonly name: string;
  /** 22 characters; a topic that is deleted and made again gets another. */
  readonly id: string;
  readonly partitions: readonly PartitionImage[];
  readonly isInternal: boolean;
}

/** The cluster's metadata after some entry of the metadata group; never changed, only replaced. */
export interface MetadataImage {
  /** Index of the entry that it includes last. */
  readonly index: number;
  readonly clusterId: string;
  readonly brokers: ReadonlyMap<number, BrokerRegistration>;
  /** Nodes that vote in the metadata group and are no brokers. */
  readonly controllers: ReadonlyMap<number, BrokerRegistration>;
  readonly disks: NodeDisks;
  readonly topics: ReadonlyMap<string, TopicImage>;
  readonly topicNames: ReadonlyMap<string, string>;
  /** Overrides by `configKey`. */
  readonly configs: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly nextGroupId: number;
  readonly nextProducerId: number;
}

/** Group 0 is the metadata group itself. */
const firstPartitionGroupId = 1;

export const emptyImage: MetadataImage = {
  index: 0,
  clusterId: "",
  brokers: new Map(),
  controllers: new Map(),
  disks: new Map(),
  topics: new Map(),
  topicNames: new Map(),
  configs: new Map(),
  nextGroupId: firstPartitionGroupId,
  nextProducerId: 0,
};

/** Topics that the broker keeps for itself; clients may read but not produce to them. */
export const internalTopics: ReadonlySet<string> = new Set(["__consumer_offsets", "__transaction_state"]);

const none: ReadonlyMap<string, string> = new Map();

/** The overrides set for one resource. */
export function configsOf(
  image: MetadataImage,
  resource: ConfigOverrides["resource"],
  name: string,
): ReadonlyMap<string, string> {
  return image.configs.get(configKey(resource, name)) ?? none;
}

/** Whether the configs of brokers, which all topics fall back on, are others than in an earlier image. */
export function haveBrokerConfigsChanged(
  image: MetadataImage,
  previous: MetadataImage,
  nodeId: number,
): boolean {
  if (image.configs === previous.configs) return false;
  return ["", String(nodeId)].some(
    (name) => configsOf(image, "broker", name) !== configsOf(previous, "broker", name),
  );
}

/** How a node announced itself last, in whatever role. */
export function registrationOf(image: MetadataImage, nodeId: number): BrokerRegistration | undefined {
  return image.brokers.get(nodeId) ?? image.controllers.get(nodeId);
}

export function topicById(image: MetadataImage, topicId: string): TopicImage | undefined {
  const name = image.topicNames.get(topicId);
  return name === undefined ? undefined : image.topics.get(name);
}

/**
 * The other topic that would share a name with `name` where "." and "_" look the same, as in metric names:
 * Kafka refuses it.
 */
export function collidingTopic(image: MetadataImage, name: string): string | undefined {
  if (!/[._]/.test(name)) return undefined;
  const folded = name.replaceAll(".", "_");
  for (const other of image.topics.keys()) {
    if (other !== name && other.replaceAll(".", "_") === folded) return other;
  }
  return undefined;
}

/** The key of a resource's overrides. */
export function configKey(resource: ConfigOverrides["resource"], name: string): string {
  return `${resource}:${name}`;
}

/** A topic of partitions in the order of their indexes. */
export function topicImage(
  name: string,
  id: string,
  partitions: readonly Omit<PartitionImage, "index">[],
): TopicImage {
  return {
    name,
    id,
    isInternal: internalTopics.has(name),
    partitions: partitions.map((partition, index) => ({ ...partition, index })),
  };
}
