import type { TornTail } from "#storage/log/log-recovery.ts";
import {
  configsOf,
  haveBrokerConfigsChanged,
  type MetadataImage,
  type PartitionImage,
  type TopicImage,
} from "../cluster/metadata/metadata-image.ts";
import { holdersOf } from "../cluster/metadata/partition-move.ts";
import type { TopicSettings } from "../config/topic-settings.ts";
import { sleep } from "../runtime/clock.ts";
import type { StoredGroup } from "../runtime/journal-log-store.ts";
import { LeaderlessReads } from "./leaderless-reads.ts";
import { logConfigOf } from "./log-settings.ts";
import { OpenPartitions } from "./open-partitions.ts";
import type { Partition } from "./partition.ts";
import {
  NoRoomError,
  type OpenedPartition,
  PartitionOpener,
  type PartitionOpenerOptions,
} from "./partition-opener.ts";
import { RetiredGroups } from "./retired-groups.ts";
import type { UncommittedBytes } from "./uncommitted-bytes.ts";

/** What partitions are opened with, but for what the manager itself knows of them. */
export interface PartitionManagerOptions extends Omit<PartitionOpenerOptions, "groups" | "onLeadership"> {
  /** What the journal kept of a group. */
  readonly storedGroup: (groupId: number) => StoredGroup | undefined;
}

/** Told of the partitions that this node leads. */
export interface PartitionListener {
  /** This node leads it from now on, with everything that was committed before applied. */
  led(partition: Partition): void;
  /** This node leads it no more. */
  unled(partition: Partition): void;
}

/** What is known of one partition that the image places here. */
interface Placed {
  readonly topic: TopicImage;
  readonly image: PartitionImage;
  partition: Partition | undefined;
  isRemoved: boolean;
  /** Set once it was removed; if it was being opened then, its group goes as soon as it has started. */
  removeGroup?: () => void;
  /** Settles when it is open. */
  work: Promise<void>;
}

/** How often a partition that the disk has no room for is tried again. */
const retryOpenMs = 1_000;
/** Partitions opened or removed at the same time. */
const workersMax = 16;

/** The partitions of this node: opens and removes them as the metadata image says. */
export class PartitionManager {
  /** Which of them are read although nobody leads them. */
  readonly leaderlessReads: LeaderlessReads;
  readonly #options: PartitionManagerOptions;
  readonly #listeners: PartitionListener[] = [];
  /** By topic id, then partition index. */
  readonly #placed = new Map<string, Placed[]>();
  /** Removals of files under way, by the partition's name: the next of that name has to wait for them. */
  readonly #removals = new Map<string, Promise<void>>();
  readonly #open = new OpenPartitions();
  readonly #opener: PartitionOpener;
  readonly #groups: RetiredGroups;
  #isClosing = false;
  #workers = 0;
  readonly #waitingForWorker: (() => void)[] = [];

  constructor(options: PartitionManagerOptions) {
    this.#options = options;
    this.leaderlessReads = new LeaderlessReads(options.clock);
    this.#groups = new RetiredGroups(options);
    this.#opener = new PartitionOpener({
      ...options,
      groups: this.#groups,
      onLeadership: (partition) => this.#tellLeadership(partition),
    });
  }

  /** What opening the logs has cut off: writes that a crash broke off. */
  get tornTails(): readonly TornTail[] {
    return this.#opener.tornTails;
  }

  /** What the partitions led here have proposed and not committed. */
  get uncommitted(): UncommittedBytes {
    return this.#opener.uncommitted;
  }

  /** The partition where it is open here. */
  find(topic: string, index: number): Partition | undefined {
    return this.#open.find(topic, index);
  }

  /** The open partition that a replication group is for. */
  ofGroup(groupId: number): Partition | undefined {
    return this.#open.ofGroup(groupId);
  }

  /** All open partitions. */
  all(): Generator<Partition> {
    return this.#open.all();
  }

  /** The open partitions that this node leads. */
  led(): Iterable<Partition> {
    return this.#open.led();
  }

  /** All partitions that have a log here, those included that serve no more because the node is closing. */
  *known(): Generator<Partition> {
    for (const places of this.#placed.values()) {
      for (const place of places) if (place?.partition) yield place.partition;
    }
  }

  listen(listener: PartitionListener): void {
    this.#listeners.push(listener);
  }

  /** Brings the partitions here in line with a new image; `whenReady` tells when that is done. */
  follow(image: MetadataImage, previous: MetadataImage): void {
    if (image.topics !== previous.topics) {
      for (const topic of previous.topics.values()) {
        if (image.topics.get(topic.name)?.id !== topic.id) this.#removeTopic(topic);
      }
      for (const topic of image.topics.values()) {
        if (topic === previous.topics.get(topic.name)) continue;
        this.#vacate(topic);
        this.#placeTopic(topic);
      }
    }
    if (image.configs !== previous.configs) this.#applySettings(image, previous);
  }

  /** Resolves when the partitions of a topic that are placed here serve. */
  async whenReady(topicId: string): Promise<void> {
    await Promise.all((this.#placed.get(topicId) ?? []).map(({ work }) => work));
  }

  /** Resolves when all partitions placed so far serve. */
  async whenAllReady(): Promise<void> {
    await Promise.all([...this.#placed.values()].flat().map(({ work }) => work));
  }

  /**
   * Removes what deleted topics, and partitions that were moved elsewhere, have left here where a crash came before that.
   * @throws DiskError
   */
  async removeStrangers(image: MetadataImage): Promise<void> {
    const { nodeId, logs, logger } = this.#options;
    for (const { id, partitions } of image.topics.values()) {
      for (const place of partitions) {
        const isPlaced = this.#placed.get(id)?.[place.index] !== undefined;
        if (!isPlaced && !holdersOf(place).includes(nodeId)) this.#groups.retire(place.groupId);
      }
    }
    const removed = await logs.removeStrangers(
      ({ topicId, partition }) => this.#placed.get(topicId)?.[partition] !== undefined,
    );
    if (removed.length > 0)
      logger.info({ removed }, "removed what deleted topics and moved partitions had left");
  }

  /** Stops all partitions, flushes their logs and saves their producers; the logs stay open. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#opener.beginToClose();
    await this.whenAllReady();
    await Promise.all(this.#removals.values());
    const partitions = [...this.all()];
    for (const partition of partitions) this.#retire(partition);
    this.#opener.close();
    await Promise.all(
      partitions.map((partition) =>
        this.#withWorker(async () => {
          await partition.log.flush();
          await this.#options.producers.save(partition);
        }),
      ),
    );
  }

  #placeTopic(topic: TopicImage): void {
    const placed = this.#placed.get(topic.id) ?? [];
    this.#placed.set(topic.id, placed);
    for (const image of topic.partitions) {
      if (placed[image.index] || !this.#isHeld(image)) continue;
      const place: Placed = { topic, image, partition: undefined, isRemoved: false, work: Promise.resolve() };
      placed[image.index] = place;
      const before = this.#removals.get(nameOf(place)) ?? Promise.resolve();
      place.work = before
        .then(() => this.#openWhenRoom(place))
        .catch((error: unknown) => this.#options.onFatal(error));
    }
  }

  /** Opens a partition, as soon as the disk has room for its first file. */
  async #openWhenRoom(place: Placed): Promise<void> {
    const { clock, logger } = this.#options;
    for (let tries = 1; !place.isRemoved && !this.#isClosing; tries++) {
      try {
        const opened = await this.#withWorker(async () => {
          const opened = await this.#opener.open(place.topic, place.image);
          place.partition = opened.partition;
          place.removeGroup?.();
          return opened;
        });
        // All that wait for their term share a write, so no worker waits with them.
        await this.#serve(place, opened);
        return;
      } catch (error) {
        if (!(error instanceof NoRoomError)) throw error;
        if (tries === 1)
          logger.error({ partition: nameOf(place) }, "the disk is full: a partition cannot be opened");
      }
      await sleep(clock, retryOpenMs);
    }
  }

  async #serve(place: Placed, { partition, group }: OpenedPartition): Promise<void> {
    const { host, settingsOf } = this.#options;
    // A partition that has replicas elsewhere may be led there.
    if (group.isAlone) await host.settled(group);
    if (place.isRemoved || (group.isAlone && !group.isSettledLeader)) return;
    // They may have changed while it was opened.
    settle(partition, settingsOf(partition.topic));
    this.#open.add(partition);
    this.#tellLeadership(partition);
  }

  /** Begins or ends what the leader of a partition has to do. */
  #tellLeadership(partition: Partition): void {
    const change = this.#open.noteLeadership(partition);
    if (change) for (const listener of this.#listeners) listener[change](partition);
  }

  #removeTopic(topic: TopicImage): void {
    const { host } = this.#options;
    const placed = this.#placed.get(topic.id) ?? [];
    this.#placed.delete(topic.id);
    for (const { index, groupId } of topic.partitions) {
      const place = placed[index];
      if (place) this.#remove(place, () => host.remove(groupId));
      else this.#groups.remove(groupId);
    }
  }

  /** Removes the partitions of a topic that have been moved elsewhere. */
  #vacate(topic: TopicImage): void {
    const placed = this.#placed.get(topic.id);
    if (!placed) return;
    for (const image of topic.partitions) {
      const place = placed[image.index];
      if (!place || this.#isHeld(image)) continue;
      delete placed[image.index];
      this.#remove(place, () => this.#groups.retire(image.groupId));
    }
  }

  /**
   * Whether this node is to have a replica. A group's leader may know before this node does that the node is to have
   * one again; what it has promised to the group since is not undone by an image of before.
   */
  #isHeld(image: PartitionImage): boolean {
    if (holdersOf(image).includes(this.#options.nodeId)) return true;
    const { groupId, settledAt } = image;
    return settledAt !== undefined && this.#groups.holds(groupId, settledAt);
  }

  #remove(place: Placed, removeGroup: () => void): void {
    place.isRemoved = true;
    // From here on it must promise nothing more; one that is only being opened has promised nothing yet.
    place.removeGroup = removeGroup;
    if (place.partition) {
      this.#retire(place.partition);
      removeGroup();
    }
    const name = nameOf(place);
    const removal = place.work
      .then(() => this.#withWorker(() => this.#removePlaced(place, removeGroup)))
      .catch((error: unknown) => {
        // Nobody needs it any more; what is left of its files goes at the next start.
        this.#options.logger.error({ err: error, partition: name }, "cannot remove a partition's files");
      })
      .finally(() => {
        if (this.#removals.get(name) === removal) this.#removals.delete(name);
      });
    this.#removals.set(name, removal);
  }

  async #removePlaced({ partition }: Placed, removeGroup: () => void): Promise<void> {
    removeGroup();
    if (partition) {
      partition.close();
      await this.#options.logs.remove({ topic: partition.topic, partition: partition.index });
    }
  }

  /** Takes a partition out of service at once; its files are a matter for later. */
  #retire(partition: Partition): void {
    if (this.#open.remove(partition)) {
      partition.close();
      this.#tellLeadership(partition);
    }
    partition.close();
  }

  /** Settles the partitions whose configs have changed: all at once are work for seconds where there are thousands. */
  #applySettings(image: MetadataImage, previous: MetadataImage): void {
    const areAllAffected = haveBrokerConfigsChanged(image, previous, this.#options.nodeId);
    for (const [topic, partitions] of this.#open.topics()) {
      if (!areAllAffected && configsOf(image, "topic", topic) === configsOf(previous, "topic", topic))
        continue;
      const settings = this.#options.settingsOf(topic);
      for (const partition of partitions) settle(partition, settings);
    }
  }

  async #withWorker<T>(work: () => Promise<T>): Promise<T> {
    while (this.#workers >= workersMax) {
      await new Promise<void>((resolve) => this.#waitingForWorker.push(resolve));
    }
    this.#workers += 1;
    try {
      return await work();
    } finally {
      this.#workers -= 1;
      this.#waitingForWorker.shift()?.();
    }
  }
}

function settle(partition: Partition, settings: TopicSettings): void {
  partition.settings = settings;
  partition.log.updateConfig(logConfigOf(settings));
}

function nameOf({ topic, image }: Placed): string {
  return `${topic.name}-${image.index}`;
}
