import type { Logger } from "pino";
import type { RaftHost } from "#raft/host/raft-host.ts";
import { type FileSystem, isDiskBroken, isDiskFull } from "#storage/io/file.ts";
import type { Journal } from "#storage/journal/journal.ts";
import type { DirtyBudget } from "#storage/log/dirty-budget.ts";
import type { Log } from "#storage/log/log.ts";
import type { LogManager } from "#storage/log/log-manager.ts";
import { expiredSegmentCount } from "#storage/retention/retention.ts";
import type { BrokerConfig } from "../config/broker-config.ts";
import { type CancelTimer, type Clock, every } from "../runtime/clock.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { Compactor } from "./compactor.ts";
import type { Partition } from "./partition.ts";
import type { PartitionManager } from "./partition-manager.ts";
import { ProduceGate } from "./produce-gate.ts";
import type { ProducerStore } from "./producer-store.ts";

export interface HousekeeperOptions {
  readonly partitions: PartitionManager;
  readonly host: RaftHost;
  readonly journal: Journal;
  readonly logs: LogManager;
  readonly dirty: DirtyBudget;
  readonly producers: ProducerStore;
  readonly files: FileSystem;
  readonly config: () => BrokerConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, "segmentFlushes" | "segmentFlushedBytes">;
  /** Writes what other state machines keep, so that their entries can leave the journal. */
  readonly saveMetadata: () => Promise<void>;
  readonly metadataGroupId: number;
  readonly onFatal: (error: unknown) => void;
}

const flushCheckMs = 10;
/** A log with this much to write is flushed at the next check: large sequential writes. */
const flushBytes = 4 << 20;
/** The longest that committed batches wait for their segment; the journal holds them meanwhile. */
const flushAgeMs = 10_000;
/** How often the journal is told what the segments hold, while it has room enough. */
const releaseEveryMs = 5_000;
/** And how often while it fills: long before it is under pressure and producers have to wait. */
const releaseWhileFillingEveryMs = 250;
/** Proposed bytes that may wait for the journal. */
const proposedBytesMax = 64 << 20;
const judgeDiskEveryMs = 1_000;
/** Below this many free bytes no more is taken in: what is under way and what retention writes still have to fit. */
const freeBytesMin = 32 << 20;
/** Below this many, the disk could be full long before it would be judged again. */
const watchedFreeBytes = 8 * freeBytesMin;
/** A busy loop takes longer to come back to a flush than the disk for its write: this many keep the disk at work. */
const flushesAtOnce = 12;

/**
 * Moves committed batches from memory to segments and old segments away, so that memory, journal and disk
 * stay within their bounds; closes the gate to producers where they do not.
 */
export class Housekeeper {
  readonly gate: ProduceGate;
  readonly #options: HousekeeperOptions;
  readonly #timers: CancelTimer[] = [];
  readonly #compactor: Compactor;
  readonly #running = new Set<Promise<void>>();
  #isRefusing = false;
  #isFlushing = false;
  #hasFlushed = false;
  #releasedAtMs = 0;
  #judgedDiskAtMs = 0;
  #freeBytes = 0;
  #isDiskFull = false;

  constructor(options: HousekeeperOptions) {
    this.#options = options;
    this.#compactor = new Compactor(options);
    this.gate = new ProduceGate(options.clock, () => this.#hasRoom(), {
      held: (waitingCount) => this.#tellHeld(waitingCount),
      resumed: (heldMs) => options.logger.info({ heldMs: Math.round(heldMs) }, "produce goes on"),
    });
    options.partitions.uncommitted.onRoom = () => this.gate.reconsider();
  }

  start(): void {
    const { clock, config, onFatal } = this.#options;
    this.#timers.push(
      every(clock, flushCheckMs, () => this.#tracked(this.#flushDue()), onFatal),
      every(
        clock,
        config().logRetentionCheckIntervalMs,
        () => this.#tracked(this.#applyRetention()),
        onFatal,
      ),
      every(clock, config().producerIdExpirationCheckIntervalMs, () => this.#expireProducers(), onFatal),
    );
    if (!config().cleaner.isEnabled) return;
    const backoffMs = () => config().cleaner.backoffMs;
    this.#timers.push(every(clock, backoffMs, () => this.#tracked(this.#compactor.run()), onFatal));
  }

  /** Turns producers away for good. */
  refuseProduce(reason: string): void {
    this.#isRefusing = true;
    this.gate.block(reason);
  }

  /** Begins nothing new; resolves when what is under way has ended, however it ended. */
  async stop(): Promise<void> {
    for (const stop of this.#timers) stop();
    this.#compactor.stop();
    await Promise.allSettled(this.#running);
  }

  async #tracked(work: Promise<void>): Promise<void> {
    this.#running.add(work);
    try {
      await work;
    } finally {
      this.#running.delete(work);
    }
  }

  #hasRoom(): boolean {
    const { dirty, journal, host, partitions } = this.#options;
    if (dirty.isOver || journal.isUnderPressure || partitions.uncommitted.isOver) return false;
    return host.proposedBytes < proposedBytesMax;
  }

  /** Notes durably how far the segments reach, and lets the journal forget what lies before. @throws DiskError */
  async releaseJournal(): Promise<void> {
    const { logs, host, partitions, clock } = this.#options;
    this.#hasFlushed = false;
    this.#releasedAtMs = clock.monotonicMs();
    const durable = await logs.checkpoint();
    for (const { log, groupId, isTrimPending } of partitions.known()) {
      const offset = durable.get(log);
      // The entry that asks for a trim takes no offsets, so offsets cannot tell that it is still needed.
      if (offset !== undefined && !isTrimPending) host.releaseThroughOffset(groupId, offset);
    }
  }

  async #flushDue(): Promise<void> {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    try {
      await this.#flushAll(this.#due());
      await this.#relieveJournal();
      await this.#judgeDisk();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#diskIsFull();
    } finally {
      this.#isFlushing = false;
    }
  }

  async #relieveJournal(): Promise<void> {
    const { journal, clock, saveMetadata, metadataGroupId } = this.#options;
    const { isUnderPressure, isFilling } = journal;
    const everyMs = isFilling ? releaseWhileFillingEveryMs : releaseEveryMs;
    const isTime = this.#hasFlushed && clock.monotonicMs() - this.#releasedAtMs >= everyMs;
    if (!isUnderPressure && !isTime) return;
    await this.releaseJournal();
    if (isFilling && journal.oldestGroups().includes(metadataGroupId)) await saveMetadata();
    if (!isUnderPressure) return;
    // Floors ride with entries, of which there may be none while the gate is closed.
    await this.#options.host.flushFloors();
    await journal.relieve();
  }

  /** What to write now: logs with much or old data, those that hold the journal back, the fullest when memory is short. */
  #due(): Set<Log> {
    const { partitions, logs, journal, dirty, clock } = this.#options;
    const due = new Set(
      logs.logsToFlush({
        nowMs: clock.nowMs(),
        flushBytes,
        flushAfterMs: flushAgeMs,
        excessBytes: Math.max(0, dirty.bytes - dirty.bytesMax / 2),
      }),
    );
    if (journal.isFilling) {
      const holding = new Set(journal.oldestGroups());
      for (const { groupId, log } of partitions.all()) if (holding.has(groupId)) due.add(log);
    }
    return due;
  }

  async #flushAll(due: ReadonlySet<Log>): Promise<void> {
    if (due.size === 0) return;
    const queue = [...this.#options.partitions.all()].filter(({ log }) => due.has(log));
    const work = Array.from({ length: Math.min(flushesAtOnce, queue.length) }, async () => {
      for (let partition = queue.shift(); partition; partition = queue.shift()) await this.#flush(partition);
    });
    await Promise.all(work);
  }

  async #flush(partition: Partition): Promise<void> {
    if (partition.isClosed) return;
    const { clock, telemetry } = this.#options;
    const startedMs = clock.monotonicMs();
    const { unflushedBytes } = partition.log;
    try {
      await partition.log.flush();
      telemetry.segmentFlushedBytes += unflushedBytes;
      telemetry.segmentFlushes.observe(clock.monotonicMs() - startedMs);
      await this.#options.producers.saveIfDue(partition);
    } catch (error) {
      if (partition.isClosed && !isDiskBroken(error)) return;
      throw error;
    }
    this.#hasFlushed = true;
    this.gate.reconsider();
  }

  async #judgeDisk(): Promise<void> {
    const { files, config, journal, dirty, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const isTime = nowMs - this.#judgedDiskAtMs >= judgeDiskEveryMs;
    if (this.#isDiskFull || journal.isUnderPressure || this.#freeBytes < watchedFreeBytes || isTime) {
      this.#judgedDiskAtMs = nowMs;
      // What memory holds has been taken in, and still needs its place.
      this.#freeBytes = (await files.freeBytes(config().logDirectory)) - dirty.bytes;
      if (this.#freeBytes < freeBytesMin) {
        this.#diskIsFull();
        return;
      }
    }
    if (this.#isDiskFull) {
      this.#isDiskFull = false;
      this.#options.logger.info("the disk has room again: produce is taken");
    }
    if (!this.#isRefusing) this.gate.open();
  }

  #tellHeld(waitingCount: number): void {
    const { dirty, journal, host, partitions, logger } = this.#options;
    const facts = {
      waitingCount,
      dirtyBytes: dirty.bytes,
      journalBytes: journal.usedBytes,
      isJournalUnderPressure: journal.isUnderPressure,
      proposedBytes: host.proposedBytes,
      uncommittedBytes: partitions.uncommitted.bytes,
    };
    logger.warn(facts, "produce waits: the disk, or other nodes, do not keep up");
  }

  #diskIsFull(): void {
    this.gate.block("The disk is full");
    if (this.#isDiskFull) return;
    this.#isDiskFull = true;
    this.#options.logger.error("the disk is full: produce is refused, reads go on");
  }

  async #applyRetention(): Promise<void> {
    const { partitions, producers, clock, logger } = this.#options;
    for (const partition of [...partitions.all()]) {
      if (partition.isClosed || !isPastRetention(partition, clock.nowMs())) continue;
      try {
        const upToOffset = await producers.save(partition);
        const nowMs = clock.nowMs();
        const { removedSegments } = await partition.log.applyRetention({ nowMs, upToOffset });
        if (removedSegments > 0) {
          logger.info(
            { partition: partition.name, removedSegments, logStartOffset: partition.logStartOffset },
            "removed expired segments",
          );
        }
      } catch (error) {
        if (partition.isClosed && !isDiskBroken(error)) continue;
        if (!isDiskFull(error)) throw error;
        this.#diskIsFull();
      }
    }
  }

  #expireProducers(): void {
    const { partitions, clock, config } = this.#options;
    for (const { producers } of partitions.all())
      producers.expire(clock.nowMs(), config().producerIdExpirationMs);
  }
}

function isPastRetention({ log }: Partition, nowMs: number): boolean {
  const segments = log.segments().filter(({ sizeBytes }) => sizeBytes > 0);
  const { retentionMs, retentionBytes } = log.config;
  return expiredSegmentCount(segments, { nowMs, retentionMs, retentionBytes }) > 0;
}
