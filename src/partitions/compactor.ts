import type { Logger } from "pino";
import { readBatchHeader } from "#protocol/records/batch.ts";
import { type FileSystem, isDiskFull } from "#storage/io/file.ts";
import { LogCorruptError } from "#storage/log/log-error.ts";
import type { CompactionRules } from "#storage/retention/compaction.ts";
import type { BrokerConfig } from "../config/broker-config.ts";
import type { TopicSettings } from "../config/topic-settings.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Partition } from "./partition.ts";
import type { PartitionManager } from "./partition-manager.ts";
import type { ProducerStore } from "./producer-store.ts";
import { recordFormat } from "./record-format.ts";

export interface CompactorOptions {
  readonly partitions: Pick<PartitionManager, "all">;
  readonly producers: Pick<ProducerStore, "save">;
  readonly files: Pick<FileSystem, "freeBytes">;
  readonly config: () => BrokerConfig;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Free bytes that a run leaves to everything else. */
const spareBytes = 64 << 20;
/** The longest wait at a stretch for the rate limit: in between, a stop is noticed. */
const throttleMsMax = 100;

/** Thrown into a run that has to end because its partition or the broker does. */
class CompactionStoppedError extends Error {
  constructor() {
    super("Cannot go on with the compaction: it was stopped");
    this.name = "CompactionStoppedError";
  }
}

/**
 * Compacts the partitions whose topics ask for it, one at a time, the dirtiest first.
 *
 * It shares the event loop with everything else: it lets others run after each stretch of batches, and keeps to
 * `log.cleaner.io.max.bytes.per.second`.
 */
export class Compactor {
  readonly #options: CompactorOptions;
  /** Logs with damage: an operator has been told, and they are left alone until the next start. */
  readonly #damaged = new WeakSet<Partition>();
  #isStopped = false;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  /** Ends the run that is under way at its next stretch, and begins no other. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Compacts all that is due, and what becomes due meanwhile of logs that it has not been at. @throws DiskError */
  async run(): Promise<void> {
    const compacted = new Set<Partition>();
    await this.#sealAged();
    for (let next = this.#dirtiest(compacted); next; next = this.#dirtiest(compacted)) {
      if (!(await this.#hasRoomFor(next)) || !(await this.#compact(next))) compacted.add(next);
    }
  }

  async #sealAged(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    for (const partition of this.#compactedPartitions()) {
      await this.#guarded(partition, () => partition.log.sealAged({ nowMs }));
    }
  }

  #dirtiest(compacted: ReadonlySet<Partition>): Partition | undefined {
    const nowMs = this.#options.clock.nowMs();
    let dirtiest: { readonly partition: Partition; readonly dirtyRatio: number } | undefined;
    for (const partition of this.#compactedPartitions()) {
      if (compacted.has(partition)) continue;
      const rules = rulesOf(partition.settings);
      const { isDue, dirtyBytes, dirtyRatio } = partition.log.compactable({ nowMs, rules });
      if (!isDue || dirtyBytes === 0) continue;
      if (!dirtiest || dirtyRatio > dirtiest.dirtyRatio) dirtiest = { partition, dirtyRatio };
    }
    return dirtiest?.partition;
  }

  #compactedPartitions(): Partition[] {
    if (this.#isStopped) return [];
    return [...this.#options.partitions.all()].filter(
      (partition) =>
        partition.settings.cleanupPolicy.compact && !partition.isClosed && !this.#damaged.has(partition),
    );
  }

  /** New segments are written before the old ones go. */
  async #hasRoomFor({ log }: Partition): Promise<boolean> {
    const { files, config } = this.#options;
    const neededBytes = Math.min(log.sizeBytes, log.config.segmentBytes) + spareBytes;
    return (await files.freeBytes(config().logDirectory)) >= neededBytes;
  }

  /** One run; true when more of the log could be compacted than the memory for its keys allowed. */
  async #compact(partition: Partition): Promise<boolean> {
    const { producers, clock, logger, config } = this.#options;
    const { log } = partition;
    const { cleaner } = config();
    const startedMs = clock.monotonicMs();
    const report = await this.#guarded(partition, async () => {
      // What batches say of their producers cannot be read again once they are gone.
      await producers.save(partition);
      return log.compact({
        nowMs: clock.nowMs(),
        rules: rulesOf(partition.settings),
        records: recordFormat,
        mustStay: lastBatchesOf(partition),
        keyMapBytes: cleaner.keyMapBytes,
        keyMapLoadFactor: cleaner.keyMapLoadFactor,
        pace: this.#paceOf(partition),
      });
    });
    if (!report) return false;
    const { before, after, cleanedOffset, keyCount, isPartial } = report;
    const tookMs = Math.round(clock.monotonicMs() - startedMs);
    logger.info(
      { partition: partition.name, before, after, cleanedOffset, keyCount, isPartial, tookMs },
      "compacted a log",
    );
    return isPartial;
  }

  /** What ends a run of one partition and is no reason to give up on the others. */
  async #guarded<T>(partition: Partition, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (partition.isClosed || error instanceof CompactionStoppedError) return undefined;
      const { logger } = this.#options;
      if (error instanceof LogCorruptError) {
        this.#damaged.add(partition);
        logger.error({ err: error, partition: partition.name }, "cannot compact a damaged log");
        return undefined;
      }
      if (!isDiskFull(error)) throw error;
      logger.warn({ partition: partition.name }, "cannot compact a log: the disk is full");
      return undefined;
    }
  }

  #paceOf(partition: Partition): (sizeBytes: number) => Promise<void> {
    const { clock, config } = this.#options;
    let debtMs = 0;
    let paidMs = clock.monotonicMs();
    return async (sizeBytes) => {
      debtMs += (sizeBytes / config().cleaner.bytesPerSecondMax) * 1000;
      do {
        await this.#wait(Math.min(debtMs, throttleMsMax));
        if (this.#isStopped || partition.isClosed) throw new CompactionStoppedError();
        const nowMs = clock.monotonicMs();
        debtMs = Math.max(0, debtMs - (nowMs - paidMs));
        paidMs = nowMs;
      } while (debtMs >= 1);
    };
  }

  #wait(waitMs: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      if (waitMs < 1) clock.soon(resolve);
      else clock.schedule(waitMs, resolve);
    });
  }
}

function rulesOf(settings: TopicSettings): CompactionRules {
  return {
    minDirtyRatio: settings.minCleanableDirtyRatio,
    minLagMs: settings.minCompactionLagMs,
    maxLagMs: settings.maxCompactionLagMs,
    deleteRetentionMs: settings.deleteRetentionMs,
  };
}

/**
 * Whether a batch is the last one in the segments of a producer that is still remembered. It stays in the log, without
 * records if need be: as in Kafka, the log alone tells which sequence comes next.
 */
function lastBatchesOf({ producers, log }: Partition): (batch: Uint8Array) => boolean {
  const ends = new Map<number, number>();
  for (const { producerId, batches } of producers.entries()) {
    const last = batches.findLast(({ nextOffset }) => nextOffset <= log.flushedOffset);
    if (last) ends.set(producerId, last.nextOffset);
  }
  return (batch) => {
    const { producerId, nextOffset } = readBatchHeader(batch, 0);
    return producerId >= 0 && ends.get(producerId) === nextOffset;
  };
}
