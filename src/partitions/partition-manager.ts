import type { Logger } from "pino";
import { type Configuration, votersOnly } from "#raft/core/configuration.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";
import type { RaftHost } from "#raft/host/raft-host.ts";
import type { DirtyBudget } from "#storage/log/dirty-budget.ts";
import type { Log } from "#storage/log/log.ts";
import type { LogManager } from "#storage/log/log-manager.ts";
import type { TornTail } from "#storage/log/log-recovery.ts";
import {
  configsOf,
  haveBrokerConfigsChanged,
  type MetadataImage,
  type PartitionImage,
  type TopicImage,
} from "../cluster/metadata-image.ts";
import { holdersOf } from "../cluster/partition-move.ts";
import type { TopicSettings } from "../config/topic-settings.ts";
import { type CancelTimer, type Clock, sleep } from "../runtime/clock.ts";
import { isDiskFull } from "../runtime/disk-full.ts";
import type { StoredGroup } from "../runtime/journal-log-store.ts";
import { CommitDeadlines } from "./commit-deadlines.ts";
import { LeaderlessReads } from "./leaderless-reads.ts";
import { logConfigOf } from "./log-settings.ts";
import { Partition } from "./partition.ts";
import type { ProducerStore } from "./producer-store.ts";
import { UncommittedBytes } from "./uncommitted-bytes.ts";

export interface PartitionManagerOptions {
  readonly nodeId: number;
  readonly host: RaftHost;
  readonly logs: LogManager;
  readonly dirty: DirtyBudget;
  readonly producers: ProducerStore;
  /** What the journal kept of a group. */
  readonly storedGroup: (groupId: number) => StoredGroup | undefined;
  /** Whether a node can be talked to now. */
  readonly isReachable: (nodeId: number) => boolean;
  readonly settingsOf: (topic: string) => TopicSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Storage cannot be trusted any more: the process must end. */
  readonly onFatal: (error: unknown) => void;
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
  /** Settles when it is open. */
  work: Promise<void>;
}

/** A partition with its group, which serves once its term is durable. */
interface Opened {
  readonly partition: Partition;
  readonly group: RaftGroup;
}

/** How often a partition that the disk has no room for is tried again. */
const retryOpenMs = 1_000;
/**
 * When the first replica of a new partition asks for leadership, in ms after it opened: the others open at about the same
 * time, and who is not there yet has no vote.
 */
const firstCampaignsMs = [0, 50, 150, 300, 600] as const;
/** Partitions opened or removed at the same time. */
const workersMax = 16;

/** A log could not be opened for want of room; nothing of it is left open. */
class NoRoomError extends Error {
  constructor(options: ErrorOptions) {
    super("Cannot open a log: the disk is full", options);
    this.name = "NoRoomError";
  }
}

/** The partitions of this node: opens and removes them as the metadata image says. */
export class PartitionManager {
  /** Which of them are read although nobody leads them. */
  readonly leaderlessReads: LeaderlessReads;
  /** What opening the logs has cut off: writes that a crash broke off. */
  readonly tornTails: TornTail[] = [];
  /** What the partitions led here have proposed and not committed. */
  readonly uncommitted = new UncommittedBytes();
  readonly #deadlines: CommitDeadlines;
  readonly #options: PartitionManagerOptions;
  readonly #listeners: PartitionListener[] = [];
  /** By topic id, then partition index. */
  readonly #placed = new Map<string, Placed[]>();
  /** Removals of files under way, by the partition's name: the next of that name has to wait for them. */
  readonly #removals = new Map<string, Promise<void>>();
  /** By topic name, then partition index: the hot path. */
  readonly #open = new Map<string, (Partition | undefined)[]>();
  /** Open partitions that this node leads, as listeners were told. */
  readonly #led = new Set<Partition>();
  /** Groups whose replicas have left this node, and what they must not forget, in case they come back. */
  readonly #retired = new Map<number, StoredGroup>();
  readonly #startedMs: number;
  /** Campaigns for new partitions that are still to come. */
  readonly #campaigns = new Set<CancelTimer>();
  #isClosing = false;
  #workers = 0;
  readonly #waitingForWorker: (() => void)[] = [];

  constructor(options: PartitionManagerOptions) {
    this.#options = options;
    this.#startedMs = options.clock.nowMs();
    this.leaderlessReads = new LeaderlessReads(options.clock);
    this.#deadlines = new CommitDeadlines(options.clock);
  }

  /** The partition where it is open here. */
  find(topic: string, index: number): Partition | undefined {
    return this.#open.get(topic)?.[index];
  }

  /** The open partition that a replication group is for. */
  ofGroup(groupId: number): Partition | undefined {
    for (const partition of this.all()) if (partition.groupId === groupId) return partition;
    return undefined;
  }

  /** All open partitions. */
  *all(): Generator<Partition> {
    for (const partitions of this.#open.values()) {
      for (const partition of partitions) if (partition) yield partition;
    }
  }

  /** The open partitions that this node leads. */
  led(): Iterable<Partition> {
    return this.#led;
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
    for (const { partitions } of image.topics.values()) {
      for (const place of partitions)
        if (!holdersOf(place).includes(nodeId)) this.#retireGroup(place.groupId);
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
    for (const cancel of this.#campaigns) cancel();
    await this.whenAllReady();
    await Promise.all(this.#removals.values());
    const partitions = [...this.all()];
    for (const partition of partitions) this.#retire(partition);
    this.#deadlines.close();
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
      if (placed[image.index] || !holdersOf(image).includes(this.#options.nodeId)) continue;
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
        const opened = await this.#withWorker(() => this.#openPlaced(place));
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

  async #openPlaced(place: Placed): Promise<Opened> {
    const { host, logs, producers, dirty, storedGroup, settingsOf } = this.#options;
    const { topic, image } = place;
    const stored = this.#retired.get(image.groupId) ?? storedGroup(image.groupId);
    const configuration = stored?.configuration ?? this.#firstConfiguration(image);
    const isAlone = configuration.voters.length === 1 && configuration.voters[0] === host.replica;
    const settings = settingsOf(topic.name);
    const log = await logs
      .openLog({ topic: topic.name, topicId: topic.id, partition: image.index }, logConfigOf(settings))
      .catch((error: unknown) => {
        throw isDiskFull(error) ? new NoRoomError({ cause: error }) : error;
      });
    this.#tellOfDamage(log);
    const partition = new Partition({
      topic: topic.name,
      topicId: topic.id,
      index: image.index,
      groupId: image.groupId,
      log,
      settings,
      startedMs: this.#startedMs,
      makeRoom: async () => {
        if (dirty.isOver) await log.flush();
      },
      isReachable: this.#options.isReachable,
      lease: { monotonicMs: () => this.#options.clock.monotonicMs(), leaseMs: host.leaseMs },
      deadlines: this.#deadlines,
      uncommitted: this.uncommitted,
      onLeadership: (changed) => this.#tellLeadership(changed),
      executeTrim: (trimmed, startOffset) => this.#trim(trimmed, startOffset),
    });
    await producers.load(partition);
    const group = await host.start({
      ...stored,
      id: image.groupId,
      stateMachine: partition,
      configuration,
      // Clients are answered by leaders; who reads from a follower sees records a few milliseconds later.
      tellsCommitsLate: true,
      nextOffset: isAlone ? log.nextOffset : (stored?.floorNextOffset ?? 0),
      hardState: {
        // Terms are leader epochs, and those must not go backwards even if the journal was lost.
        term: Math.max(stored?.hardState.term ?? 0, log.epochs().at(-1)?.epoch ?? 0),
        votedFor: stored?.hardState.votedFor ?? -1,
      },
    });
    this.#retired.delete(image.groupId);
    partition.lead(group);
    place.partition = partition;
    const isFounder = configuration.voters.length > 0;
    if (!isAlone && !stored && isFounder && image.replicas[0] === this.#options.nodeId)
      this.#encourage(group);
    return { partition, group };
  }

  /** Who founds a group knows who else does; who comes later learns that from its leader. */
  #firstConfiguration({ replicas, founders = replicas }: PartitionImage): Configuration {
    return votersOnly(founders.includes(this.#options.host.replica) ? founders : []);
  }

  async #serve(place: Placed, { partition, group }: Opened): Promise<void> {
    const { host, settingsOf } = this.#options;
    const { topic, image } = place;
    // A partition that has replicas elsewhere may be led there.
    if (group.isAlone) await host.settled(group);
    if (place.isRemoved || (group.isAlone && !group.isSettledLeader)) return;
    // They may have changed while it was opened.
    settle(partition, settingsOf(topic.name));
    const open = this.#open.get(topic.name) ?? [];
    open[image.index] = partition;
    this.#open.set(topic.name, open);
    this.#tellLeadership(partition);
  }

  /** Begins or ends what the leader of a partition has to do. */
  #tellLeadership(partition: Partition): void {
    if (partition.isLeader === this.#led.has(partition)) return;
    if (!partition.isLeader) {
      this.#led.delete(partition);
      for (const listener of this.#listeners) listener.unled(partition);
    } else if (this.find(partition.topic, partition.index) === partition) {
      this.#led.add(partition);
      for (const listener of this.#listeners) listener.led(partition);
    }
  }

  /** Lets the replica that was meant to lead a new partition do so, without anybody's waiting for an election timeout. */
  #encourage(group: RaftGroup): void {
    for (const delayMs of firstCampaignsMs) {
      const cancel = this.#options.clock.schedule(delayMs, () => {
        this.#campaigns.delete(cancel);
        const isStillNew = this.#options.host.group(group.id) === group && group.leaderNodeId < 0;
        if (isStillNew) group.campaign();
      });
      this.#campaigns.add(cancel);
    }
  }

  /** Moves the start of a partition's log forward, durably; a full disk is waited for. */
  async #trim(partition: Partition, startOffset: number): Promise<void> {
    const { producers, clock, onFatal } = this.#options;
    const { log } = partition;
    for (;;) {
      try {
        if (startOffset > log.flushedOffset) await this.#flushBeforeTrim(partition);
        await producers.save(partition);
        await log.trimTo(startOffset);
        return;
      } catch (error) {
        if (partition.isClosed || this.#isClosing) throw error;
        if (!isDiskFull(error)) {
          onFatal(error);
          throw error;
        }
      }
      await sleep(clock, retryOpenMs);
    }
  }

  /** What a full disk has no room for finds some once older records are gone, which are to go as well. */
  async #flushBeforeTrim(partition: Partition): Promise<void> {
    const { log } = partition;
    try {
      await log.flush();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await this.#options.producers.save(partition);
      await log.trimTo(log.flushedOffset);
      await log.flush();
    }
  }

  #tellOfDamage(log: Log): void {
    if (log.tornTail) this.tornTails.push(log.tornTail);
    for (const err of log.damage) {
      this.#options.logger.error({ err }, "a log is damaged and was accepted as it is");
    }
  }

  #removeTopic(topic: TopicImage): void {
    const { host, storedGroup } = this.#options;
    const placed = this.#placed.get(topic.id) ?? [];
    this.#placed.delete(topic.id);
    for (const { index, groupId } of topic.partitions) {
      const place = placed[index];
      if (place) this.#remove(place, () => host.remove(groupId));
      else if (this.#retired.delete(groupId) || storedGroup(groupId)) host.remove(groupId);
    }
  }

  /** Removes the partitions of a topic that have been moved elsewhere. */
  #vacate(topic: TopicImage): void {
    const placed = this.#placed.get(topic.id);
    if (!placed) return;
    for (const image of topic.partitions) {
      const place = placed[image.index];
      if (!place || holdersOf(image).includes(this.#options.nodeId)) continue;
      delete placed[image.index];
      this.#remove(place, () => this.#retireGroup(image.groupId));
    }
  }

  #remove(place: Placed, removeGroup: () => void): void {
    place.isRemoved = true;
    if (place.partition) this.#retire(place.partition);
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

  /** A replica that comes back must not vote twice in a term: that much is kept of its group. */
  #retireGroup(groupId: number): void {
    const { host, storedGroup } = this.#options;
    const stored = storedGroup(groupId);
    const isBlank = !stored || (stored.configuration?.voters.length === 0 && stored.entries.length === 0);
    if (isBlank && !host.group(groupId)) return;
    const hardState = host.retire(groupId, stored?.hardState);
    if (hardState) this.#retired.set(groupId, { ...blank, hardState });
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
    const open = this.#open.get(partition.topic);
    if (open?.[partition.index] === partition) {
      open[partition.index] = undefined;
      if (open.every((other) => other === undefined)) this.#open.delete(partition.topic);
      partition.close();
      this.#tellLeadership(partition);
    }
    partition.close();
  }

  /** Settles the partitions whose configs have changed: all at once are work for seconds where there are thousands. */
  #applySettings(image: MetadataImage, previous: MetadataImage): void {
    const areAllAffected = haveBrokerConfigsChanged(image, previous, this.#options.nodeId);
    for (const [topic, partitions] of this.#open) {
      if (!areAllAffected && configsOf(image, "topic", topic) === configsOf(previous, "topic", topic))
        continue;
      const settings = this.#options.settingsOf(topic);
      for (const partition of partitions) if (partition) settle(partition, settings);
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

/** What is known of a group whose replica has left, besides its term and vote. */
const blank: Omit<StoredGroup, "hardState"> = {
  floor: { index: 0, term: 0 },
  floorNextOffset: 0,
  configuration: votersOnly([]),
  entries: [],
};

function settle(partition: Partition, settings: TopicSettings): void {
  partition.settings = settings;
  partition.log.updateConfig(logConfigOf(settings));
}

function nameOf({ topic, image }: Placed): string {
  return `${topic.name}-${image.index}`;
}
