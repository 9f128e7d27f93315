import type { ConfigOverrides, MetadataSnapshot, SnapshotPartition } from "./metadata-command.ts";
import { configKey, type MetadataImage, type PartitionImage, topicImage } from "./metadata-image.ts";
import { type NodeDisks, withFirstDisk } from "./node-disks.ts";

/** The image as a snapshot that includes the entry `index` of `term`. */
export function toSnapshot(image: MetadataImage, term: number): MetadataSnapshot {
  return {
    index: image.index,
    term,
    clusterId: image.clusterId,
    nextGroupId: image.nextGroupId,
    nextProducerId: image.nextProducerId,
    brokers: [...image.brokers.values()],
    controllers: [...image.controllers.values()],
    disks: [...image.disks.values()],
    topics: [...image.topics.values()].map(({ name, id, partitions }) => ({ name, topicId: id, partitions })),
    configs: [...image.configs].map(([key, configs]) => {
      const [resource, ...name] = key.split(":");
      return {
        resource: resource as ConfigOverrides["resource"],
        name: name.join(":"),
        configs: Object.fromEntries(configs),
      };
    }),
  };
}

export function fromSnapshot(snapshot: MetadataSnapshot): MetadataImage {
  const topics = snapshot.topics.map((topic) =>
    topicImage(topic.name, topic.topicId, topic.partitions.map(storedPartition)),
  );
  return {
    index: snapshot.index,
    clusterId: snapshot.clusterId,
    nextGroupId: snapshot.nextGroupId,
    nextProducerId: snapshot.nextProducerId,
    brokers: new Map(snapshot.brokers.map((broker) => [broker.nodeId, broker])),
    controllers: new Map((snapshot.controllers ?? []).map((node) => [node.nodeId, node])),
    disks: storedDisks(snapshot),
    topics: new Map(topics.map((topic) => [topic.name, topic])),
    topicNames: new Map(topics.map((topic) => [topic.id, topic.name])),
    configs: new Map(
      snapshot.configs.map(({ resource, name, configs }) => [
        configKey(resource, name),
        new Map(Object.entries(configs)),
      ]),
    ),
  };
}

function storedDisks({ brokers, disks = [] }: MetadataSnapshot): NodeDisks {
  if (disks.length > 0) return new Map(disks.map((disk) => [disk.nodeId, disk]));
  return brokers.reduce<NodeDisks>((known, broker) => withFirstDisk(known, broker), new Map());
}

function storedPartition({
  groupId,
  replicas,
  founders = [],
  move,
  settledAt,
}: SnapshotPartition): Omit<PartitionImage, "index"> {
  return {
    ...{ groupId, replicas },
    ...(founders.length > 0 && { founders }),
    ...(move && { move }),
    ...(settledAt && { settledAt }),
  };
}
