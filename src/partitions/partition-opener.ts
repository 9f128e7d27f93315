import type { Logger } from "pino";
import { type Configuration, votersOnly } from "#raft/core/configuration.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";
import type { RaftHost } from "#raft/host/raft-host.ts";
import { isDiskBroken, isDiskFull } from "#storage/io/file.ts";
import type { DirtyBudget } from "#storage/log/dirty-budget.ts";
import type { Log } from "#storage/log/log.ts";
import type { LogManager } from "#storage/log/log-manager.ts";
import type { TornTail } from "#storage/log/log-recovery.ts";
import type { PartitionImage, TopicImage } from "../cluster/metadata/metadata-image.ts";
import type { TopicSettings } from "../config/topic-settings.ts";
import { type CancelTimer, type Clock, sleep } from "../runtime/clock.ts";
import { CommitDeadlines } from "./commit-deadlines.ts";
import { logConfigOf } from "./log-settings.ts";
import { Partition } from "./partition.ts";
import type { ProducerStore } from "./producer-store.ts";
import type { RetiredGroups } from "./retired-groups.ts";
import { UncommittedBytes } from "./uncommitted-bytes.ts";

export interface PartitionOpenerOptions {
  readonly nodeId: number;
  readonly host: RaftHost;
  readonly logs: LogManager;
  readonly dirty: DirtyBudget;
  readonly producers: ProducerStore;
  /** The most that the journal takes. */
  readonly journalBytes: number;
  /** What this node remembers of groups. */
  readonly groups: RetiredGroups;
  /** Whether a node can be talked to now. */
  readonly isReachable: (nodeId: number) => boolean;
  readonly settingsOf: (topic: string) => TopicSettings;
  /** Told when a partition's `isLeader` may have another value. */
  readonly onLeadership: (partition: Partition) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Storage cannot be trusted any more: the process must end. */
  readonly onFatal: (error: unknown) => void;
}

/** A partition with its group, which serves once its term is durable. */
export interface OpenedPartition {
  readonly partition: Partition;
  readonly group: RaftGroup;
}

/** How often a trim that the disk has no room for is tried again. */
const retryTrimMs = 1_000;
/**
 * When the first replica of a new partition asks for leadership, in ms after it opened: the others open at about the same
 * time, and who is not there yet has no vote.
 */
const firstCampaignsMs = [0, 50, 150, 300, 600] as const;

/** A log could not be opened for want of room; nothing of it is left open. */
export class NoRoomError extends Error {
  constructor(options: ErrorOptions) {
    super("Cannot open a log: the disk is full", options);
    this.name = "NoRoomError";
  }
}

/** Makes partitions of what the disk, the journal and the image know of them. */
export class PartitionOpener {
  /** What opening the logs has cut off: writes that a crash broke off. */
  readonly tornTails: TornTail[] = [];
  /** What the partitions led here have proposed and not committed. */
  readonly uncommitted: UncommittedBytes;
  readonly #options: PartitionOpenerOptions;
  readonly #deadlines: CommitDeadlines;
  readonly #startedMs: number;
  /** Campaigns for new partitions that are still to come. */
  readonly #campaigns = new Set<CancelTimer>();
  #isClosing = false;

  constructor(options: PartitionOpenerOptions) {
    this.#options = options;
    this.#startedMs = options.clock.nowMs();
    this.uncommitted = new UncommittedBytes(options);
    this.#deadlines = new CommitDeadlines(options.clock);
  }

  /** Opens the log and starts the group. @throws NoRoomError, and what storage throws for data that it cannot vouch for */
  async open(topic: TopicImage, image: PartitionImage): Promise<OpenedPartition> {
    const { nodeId, host, producers, groups } = this.#options;
    const stored = groups.memoryOf(image.groupId);
    const configuration = stored?.configuration ?? this.#firstConfiguration(image);
    const isAlone = configuration.voters.length === 1 && configuration.voters[0] === host.replica;
    const partition = await this.#openLog(topic, image);
    const { log } = partition;
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
    groups.revive(image.groupId);
    partition.lead(group);
    const isFounder = configuration.voters.length > 0;
    if (!isAlone && !stored && isFounder && image.replicas[0] === nodeId) this.#encourage(group);
    return { partition, group };
  }

  /** Partitions are opened no more, and those that are open are about to be closed. */
  beginToClose(): void {
    this.#isClosing = true;
    for (const cancel of this.#campaigns) cancel();
  }

  /** Nobody waits for anything any more. */
  close(): void {
    this.#deadlines.close();
  }

  async #openLog(topic: TopicImage, { index, groupId }: PartitionImage): Promise<Partition> {
    const { host, logs, dirty, settingsOf, isReachable, clock, onLeadership } = this.#options;
    const settings = settingsOf(topic.name);
    const log = await logs
      .openLog({ topic: topic.name, topicId: topic.id, partition: index }, logConfigOf(settings))
      .catch((error: unknown) => {
        throw isDiskFull(error) ? new NoRoomError({ cause: error }) : error;
      });
    this.#tellOfDamage(log);
    return new Partition({
      ...{ topic: topic.name, topicId: topic.id, index, groupId, log, settings, isReachable, onLeadership },
      startedMs: this.#startedMs,
      makeRoom: async () => {
        if (dirty.isOver) await log.flush();
      },
      lease: { monotonicMs: () => clock.monotonicMs(), leaseMs: host.leaseMs },
      deadlines: this.#deadlines,
      uncommitted: this.uncommitted,
      executeTrim: (trimmed, startOffset) => this.#trim(trimmed, startOffset),
    });
  }

  /** Who founds a group knows who else does; who comes later learns that from its leader. */
  #firstConfiguration({ replicas, founders = replicas }: PartitionImage): Configuration {
    return votersOnly(founders.includes(this.#options.host.replica) ? founders : []);
  }

  #tellOfDamage(log: Log): void {
    if (log.tornTail) this.tornTails.push(log.tornTail);
    for (const err of log.damage) {
      this.#options.logger.error({ err }, "a log is damaged and was accepted as it is");
    }
  }

  /** Lets the replica that was meant to lead a new partition do so, without anybody's waiting for an election timeout. */
  #encourage(group: RaftGroup): void {
    const { host, clock } = this.#options;
    for (const delayMs of firstCampaignsMs) {
      const cancel = clock.schedule(delayMs, () => {
        this.#campaigns.delete(cancel);
        const isStillNew = host.group(group.id) === group && group.leaderNodeId < 0;
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
        const isOver = partition.isClosed || this.#isClosing;
        if (isDiskBroken(error) || !(isOver || isDiskFull(error))) onFatal(error);
        if (isOver || !isDiskFull(error)) throw error;
      }
      await sleep(clock, retryTrimMs);
    }
  }

  /** What a full disk has no room for finds some once older records are gone, which are to go as well. */
  async #flushBeforeTrim(partition: Partition): Promise<void> {
    const { log } = partition;
    try {
      await log.flush();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await log.trimTo(await this.#options.producers.save(partition));
      await log.flush();
    }
  }
}
