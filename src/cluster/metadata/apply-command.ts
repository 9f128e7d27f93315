import type { BrokerRegistration, ConfigOverrides, MetadataCommand } from "./metadata-command.ts";
import {
  collidingTopic,
  configKey,
  configsOf,
  type MetadataImage,
  type PartitionImage,
  registrationOf,
  topicById,
  topicImage,
} from "./metadata-image.ts";
import { replicaOn, withFirstDisk, withNextDisk } from "./node-disks.ts";
import { arrived, holdersOf, isReassigning, originOf, retargeted, targetOf } from "./partition-move.ts";

/** What a command came to. */
export type CommandResult =
  | { readonly kind: "done" }
  | { readonly kind: "topicExists" }
  | { readonly kind: "topicCollides"; readonly with: string }
  | { readonly kind: "unknownTopic" }
  | { readonly kind: "unknownPartition" }
  /** There is no move to be cancelled. */
  | { readonly kind: "noMove" }
  /** The node is registered with another disk than the one that it comes with. */
  | { readonly kind: "foreignDirectory" }
  /** The node comes with an older state of its disk than it has served with. */
  | { readonly kind: "olderDirectory" }
  /** The node is to be a controller alone, or to be forgotten, and partitions have replicas on it. */
  | { readonly kind: "holdsReplicas" }
  | { readonly kind: "notRegistered" }
  /** The node is to be forgotten, and lives. */
  | { readonly kind: "notFenced" }
  /** Not even proposed: no leader of the metadata group was found in time. */
  | { readonly kind: "noController" }
  /** Proposed, and nobody knows what became of it: it may be done later, or never. */
  | { readonly kind: "indefinite" }
  | { readonly kind: "partitionsChanged" }
  /** Somebody else has changed the resource's configs meanwhile. */
  | { readonly kind: "configsChanged" }
  | { readonly kind: "tooLarge"; readonly sizeBytes: number }
  /** Not even proposed: too many others wait for the journal. */
  | { readonly kind: "overloaded" }
  /** The node has this disk now. */
  | { readonly kind: "disk"; readonly incarnation: number }
  /** The node whose disk is to be replaced is not registered. */
  | { readonly kind: "unknownNode" }
  /** The node whose disk is to be replaced is there, with the disk that it had. */
  | { readonly kind: "nodeLives" }
  | { readonly kind: "producerIds"; readonly first: number; readonly count: number };

interface Applied {
  readonly image: MetadataImage;
  readonly result: CommandResult;
}

/** The image after a command, and what the command came to; a command that cannot be changes nothing. */
export function applyCommand(image: MetadataImage, command: MetadataCommand): Applied {
  switch (command.kind) {
    case "nameCluster":
      return done({ ...image, clusterId: image.clusterId || command.clusterId });
    case "registerBroker":
      return registerBroker(image, command);
    case "replaceDisk":
      return replaceDisk(image, command);
    case "setFenced":
      return setFenced(image, command);
    case "unregisterBroker":
      return unregisterBroker(image, command.nodeId);
    case "createTopic":
      return createTopic(image, command);
    case "addPartitions":
      return addPartitions(image, command);
    case "deleteTopic":
      return deleteTopic(image, command.topicId);
    case "setConfigs":
      return setConfigs(image, command);
    case "setReplicas":
    case "cancelMove":
    case "completeMove":
      return movePartition(image, command);
    case "allocateProducerIds": {
      const first = image.nextProducerId;
      return {
        image: { ...image, nextProducerId: first + command.count },
        result: { kind: "producerIds", first, count: command.count },
      };
    }
    default:
      return command satisfies never;
  }
}

function done(image: MetadataImage): Applied {
  return { image, result: { kind: "done" } };
}

function setConfigs(image: MetadataImage, command: MetadataCommand & { kind: "setConfigs" }): Applied {
  const { resource, name, expected } = command;
  if (expected && !isSame(configsOf(image, resource, name), expected.texts)) {
    return { image, result: { kind: "configsChanged" } };
  }
  return done({ ...image, configs: withConfigs(image, command) });
}

function isSame(configs: ReadonlyMap<string, string>, texts: Readonly<Record<string, string>>): boolean {
  const entries = Object.entries(texts);
  return entries.length === configs.size && entries.every(([name, text]) => configs.get(name) === text);
}

function withConfigs(
  image: MetadataImage,
  { resource, name, configs }: ConfigOverrides,
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const key = configKey(resource, name);
  const entries = Object.entries(configs);
  // Topics come and go mostly without configs of their own: all others stay the very same, and whoever follows sees it.
  if (entries.length === 0 && !image.configs.has(key)) return image.configs;
  const all = new Map(image.configs);
  if (entries.length > 0) all.set(key, new Map(entries));
  else all.delete(key);
  return all;
}

function registerBroker(
  image: MetadataImage,
  command: MetadataCommand & { kind: "registerBroker" },
): Applied {
  const { kind: _, ...registration } = command;
  const { nodeId, directoryId, isControllerOnly = false } = registration;
  const disk = image.disks.get(nodeId);
  if (disk && disk.directoryId !== directoryId) return { image, result: { kind: "foreignDirectory" } };
  const known = registrationOf(image, nodeId);
  if (known && isOlder(registration, known)) return { image, result: { kind: "olderDirectory" } };
  if (isControllerOnly && holdsReplicas(image, nodeId)) return { image, result: { kind: "holdsReplicas" } };
  const brokers = new Map(image.brokers);
  const controllers = new Map(image.controllers);
  (isControllerOnly ? brokers : controllers).delete(nodeId);
  (isControllerOnly ? controllers : brokers).set(nodeId, registration);
  return done({ ...image, brokers, controllers, disks: withFirstDisk(image.disks, registration) });
}

/** Whether a registration is of an earlier state of the directory, which has forgotten what it promised since; not where it is the very same start. */
function isOlder(registration: BrokerRegistration, known: BrokerRegistration): boolean {
  if (registration.incarnation === known.incarnation || registration.directoryId === "") return false;
  if (registration.directoryId !== known.directoryId) return false;
  return (registration.generation ?? 0) <= (known.generation ?? 0) && (known.generation ?? 0) > 0;
}

function replaceDisk(
  image: MetadataImage,
  { nodeId, directoryId }: MetadataCommand & { kind: "replaceDisk" },
): Applied {
  const disk = image.disks.get(nodeId);
  if (!disk) return { image, result: { kind: "unknownNode" } };
  // Asked again, because the answer was lost.
  if (disk.directoryId === directoryId)
    return { image, result: { kind: "disk", incarnation: disk.incarnation } };
  if (image.brokers.get(nodeId)?.isFenced === false) return { image, result: { kind: "nodeLives" } };
  const disks = withNextDisk(image.disks, disk, directoryId);
  const incarnation = disks.get(nodeId)?.incarnation ?? 0;
  return { image: { ...image, disks }, result: { kind: "disk", incarnation } };
}

function holdsReplicas(image: MetadataImage, nodeId: number): boolean {
  for (const { partitions } of image.topics.values()) {
    if (partitions.some((partition) => holdersOf(partition).includes(nodeId))) return true;
  }
  return false;
}

function unregisterBroker(image: MetadataImage, nodeId: number): Applied {
  const broker = image.brokers.get(nodeId);
  if (!broker) return { image, result: { kind: "notRegistered" } };
  if (!broker.isFenced) return { image, result: { kind: "notFenced" } };
  if (holdsReplicas(image, nodeId)) return { image, result: { kind: "holdsReplicas" } };
  const brokers = new Map(image.brokers);
  brokers.delete(nodeId);
  // Another node may get the number one day, and nothing was set for that.
  const configs = withConfigs(image, { resource: "broker", name: String(nodeId), configs: {} });
  return done({ ...image, brokers, configs });
}

function setFenced(
  image: MetadataImage,
  { nodeId, incarnation, isFenced }: MetadataCommand & { kind: "setFenced" },
): Applied {
  const broker = image.brokers.get(nodeId);
  if (broker?.incarnation !== incarnation || broker.isFenced === isFenced) return done(image);
  return done({ ...image, brokers: new Map(image.brokers).set(nodeId, { ...broker, isFenced }) });
}

function createTopic(image: MetadataImage, command: MetadataCommand & { kind: "createTopic" }): Applied {
  const existing = image.topics.get(command.name);
  // A command that is proposed again, because nobody knew what became of it, has the same id.
  if (existing?.id === command.topicId) return done(image);
  if (existing) return { image, result: { kind: "topicExists" } };
  const collision = collidingTopic(image, command.name);
  if (collision !== undefined) return { image, result: { kind: "topicCollides", with: collision } };

  const partitions = newPartitions(image, command.partitions);
  const topic = topicImage(command.name, command.topicId, partitions);
  return done({
    ...image,
    topics: new Map(image.topics).set(topic.name, topic),
    topicNames: new Map(image.topicNames).set(topic.id, topic.name),
    configs: withConfigs(image, { resource: "topic", name: topic.name, configs: command.configs }),
    nextGroupId: image.nextGroupId + partitions.length,
  });
}

function addPartitions(image: MetadataImage, command: MetadataCommand & { kind: "addPartitions" }): Applied {
  const topic = topicById(image, command.topicId);
  if (!topic) return { image, result: { kind: "unknownTopic" } };
  if (topic.partitions.length !== command.existing) return { image, result: { kind: "partitionsChanged" } };

  const added = newPartitions(image, command.partitions);
  const grown = topicImage(topic.name, topic.id, [...topic.partitions, ...added]);
  return done({
    ...image,
    topics: new Map(image.topics).set(topic.name, grown),
    nextGroupId: image.nextGroupId + added.length,
  });
}

function newPartitions(
  { nextGroupId, disks }: MetadataImage,
  partitions: readonly (readonly number[])[],
): Omit<PartitionImage, "index">[] {
  return partitions.map((replicas, index) => {
    const founders = replicas.map((nodeId) => replicaOn(disks, nodeId));
    // Nearly all disks are their nodes' first ones, on which a replica is called as its node.
    const isTold = founders.some((founder, at) => founder !== replicas[at]);
    return { groupId: nextGroupId + index, replicas, ...(isTold && { founders }) };
  });
}

function deleteTopic(image: MetadataImage, topicId: string): Applied {
  const topic = topicById(image, topicId);
  if (!topic) return { image, result: { kind: "unknownTopic" } };
  const topics = new Map(image.topics);
  topics.delete(topic.name);
  const topicNames = new Map(image.topicNames);
  topicNames.delete(topicId);
  return done({
    ...image,
    topics,
    topicNames,
    configs: withConfigs(image, { resource: "topic", name: topic.name, configs: {} }),
  });
}

function movePartition(
  image: MetadataImage,
  command: MetadataCommand & { kind: "setReplicas" | "cancelMove" | "completeMove" },
): Applied {
  const topic = topicById(image, command.topicId);
  if (!topic) return { image, result: { kind: "unknownTopic" } };
  const partition = topic.partitions[command.partition];
  if (!partition) return { image, result: { kind: "unknownPartition" } };
  const moved = partitionAfter(partition, command);
  if (!moved) return { image, result: { kind: "noMove" } };
  if (moved === partition) return done(image);
  const partitions = topic.partitions.with(command.partition, moved);
  return done({ ...image, topics: new Map(image.topics).set(topic.name, { ...topic, partitions }) });
}

/** Undefined where there is nothing to cancel. */
function partitionAfter(
  partition: PartitionImage,
  command: MetadataCommand & { kind: "setReplicas" | "cancelMove" | "completeMove" },
): PartitionImage | undefined {
  switch (command.kind) {
    case "setReplicas":
      return retargeted(partition, command.replicas);
    case "cancelMove":
      return isReassigning(partition) ? retargeted(partition, originOf(partition)) : undefined;
    case "completeMove": {
      const target = targetOf(partition);
      const isTarget = target.join() === command.replicas.join();
      return partition.move && isTarget ? arrived(partition, command.settledAt) : partition;
    }
    default:
      return command satisfies never;
  }
}
