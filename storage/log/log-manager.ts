import assert from "node:assert/strict";
import type { BatchCache } from "../cache/batch-cache.ts";
import type { AlignedMemory } from "../io/aligned-loan.ts";
import type { FileSystem } from "../io/file.ts";
import { type Checksum, SnapshotCorruptError, temporarySuffix } from "../snapshots/small-file.ts";
import type { BatchFormat } from "./batch-format.ts";
import type { DirtyBudget } from "./dirty-budget.ts";
import { type FlushLimits, logsToFlush } from "./flush-schedule.ts";
import { Log } from "./log.ts";
import type { LogConfig } from "./log-config.ts";
import { LogCorruptError } from "./log-error.ts";
import { OpenFiles } from "./open-files.ts";
import {
  type PartitionIdentity,
  parsePartitionDirectoryName,
  partitionDirectoryName,
  partitionMetadataName,
  readTopicId,
  writeTopicId,
} from "./partition-directory.ts";
import { type RecoveryPoint, readRecoveryPoints, writeRecoveryPoints } from "./recovery-points.ts";
import { parseSegmentName } from "./segment.ts";
import { SegmentIndexes } from "./segment-indexes.ts";

/** What the logs of a node share. */
export interface LogManagerOptions {
  readonly files: FileSystem;
  /** Holds one directory per partition. */
  readonly directory: string;
  readonly format: BatchFormat;
  readonly checksum: Checksum;
  readonly arena: AlignedMemory;
  readonly cache: BatchCache;
  readonly dirty: DirtyBudget;
  readonly nowMs: () => number;
  readonly acceptCorruption?: boolean;
  /** Idle files kept open. */
  readonly openFilesMax?: number;
  /** Memory for indexes of sealed segments. */
  readonly indexBytesMax?: number;
}

/** A partition's log with the name and id that it goes by. */
export interface ManagedLog extends PartitionIdentity {
  readonly log: Log;
}

/** Logs opened at a time: enough to keep a disk busy. */
const openConcurrency = 16;

/** All logs of a node: finds their directories, opens, checkpoints and removes them. */
export class LogManager implements AsyncDisposable {
  readonly #options: LogManagerOptions;
  readonly #openFiles: OpenFiles;
  readonly #indexes: SegmentIndexes;
  readonly #logs = new Map<string, ManagedLog>();
  readonly #opening = new Set<string>();
  readonly #points: Map<string, RecoveryPoint>;

  /** Makes the directory when missing; opens no log yet. @throws LogCorruptError, DiskError */
  static async open(options: LogManagerOptions): Promise<LogManager> {
    await options.files.makeDirectory(options.directory);
    const path = pointsPath(options);
    await options.files.remove(path + temporarySuffix);
    try {
      return new LogManager(options, await readRecoveryPoints(options, path));
    } catch (error) {
      if (!(error instanceof SnapshotCorruptError)) throw error;
      if (options.acceptCorruption) return new LogManager(options, new Map());
      throw new LogCorruptError(error.message, { path, position: 0 }, { cause: error });
    }
  }

  private constructor(options: LogManagerOptions, points: Map<string, RecoveryPoint>) {
    this.#options = options;
    this.#points = points;
    this.#openFiles = new OpenFiles(options.files, options.openFilesMax);
    this.#indexes = new SegmentIndexes({ ...options, openFiles: this.#openFiles }, options.indexBytesMax);
  }

  find(partition: { topic: string; partition: number }): Log | undefined {
    return this.#logs.get(partitionDirectoryName(partition))?.log;
  }

  logs(): IterableIterator<ManagedLog> {
    return this.#logs.values();
  }

  /**
   * Opens a partition's log, or makes it. What is left of an older topic of the same name is removed first.
   * @throws LogCorruptError, DiskError
   */
  async openLog(identity: PartitionIdentity, config: LogConfig): Promise<Log> {
    const name = partitionDirectoryName(identity);
    assert(!this.#logs.has(name) && !this.#opening.has(name));
    this.#opening.add(name);
    try {
      const log = await this.#open(name, identity, config);
      this.#logs.set(name, { ...identity, log });
      return log;
    } finally {
      this.#opening.delete(name);
    }
  }

  /** Opens many logs, a few at a time; the first that fails stops the rest. @throws LogCorruptError, DiskError */
  async openLogs(partitions: readonly { identity: PartitionIdentity; config: LogConfig }[]): Promise<void> {
    const waiting = partitions.values();
    const openSome = async () => {
      for (const { identity, config } of waiting) await this.openLog(identity, config);
    };
    await Promise.all(Array.from({ length: openConcurrency }, openSome));
    const hasDamage = [...this.#logs.values()].some(({ log }) => log.damage.length > 0);
    if (hasDamage) await this.checkpoint();
  }

  /** Closes a log without a flush and removes its files. @throws DiskError */
  async remove(partition: { topic: string; partition: number }): Promise<void> {
    const name = partitionDirectoryName(partition);
    const managed = this.#logs.get(name);
    if (!managed) return;
    this.#logs.delete(name);
    this.#points.delete(name);
    await managed.log.abandon();
    await this.#removeDirectory(name);
  }

  /**
   * Removes directories of partitions that nobody knows any more, which a crash during `remove` leaves; answers
   * their names. Directories without a topic id are not touched: they are not known to be ours. @throws DiskError
   */
  async removeStrangers(isKnown: (identity: PartitionIdentity) => boolean): Promise<string[]> {
    const removed: string[] = [];
    for (const name of await this.#options.files.list(this.#options.directory)) {
      const partition = parsePartitionDirectoryName(name);
      if (!partition || this.#logs.has(name) || this.#opening.has(name)) continue;
      const topicId = await readTopicId(this.#options, this.#pathOf(name));
      if (topicId === undefined || isKnown({ ...partition, topicId })) continue;
      await this.#removeDirectory(name);
      removed.push(name);
    }
    return removed;
  }

  /**
   * Writes down how far each log is durable: up to there, and no further, the journal may let go. Answers those
   * offsets. @throws DiskError
   */
  async checkpoint(): Promise<ReadonlyMap<Log, number>> {
    const durable = new Map<Log, number>();
    for (const [name, { topicId, log }] of this.#logs) {
      durable.set(log, log.flushedOffset);
      this.#points.set(name, { topicId, durableOffset: log.flushedOffset });
    }
    await writeRecoveryPoints(this.#options, pointsPath(this.#options), new Map(this.#points));
    return durable;
  }

  /** The logs that should be flushed now; when to ask is the caller's. */
  logsToFlush(limits: FlushLimits): Log[] {
    return logsToFlush(
      [...this.#logs.values()].map(({ log }) => log),
      limits,
    );
  }

  /** Flushes and closes all logs; the first failure is thrown once all were tried. */
  async close(): Promise<void> {
    const closing = [...this.#logs.values()].map(({ log }) => log.close());
    const results = await Promise.allSettled(closing);
    await this.#openFiles[Symbol.asyncDispose]();
    const failure = results.find((result) => result.status === "rejected");
    if (failure) throw failure.reason;
    if (this.#logs.size > 0) await this.checkpoint();
    this.#logs.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(name: string, identity: PartitionIdentity, config: LogConfig): Promise<Log> {
    const directory = this.#pathOf(name);
    await this.#prepare(name, identity);
    const point = this.#points.get(name);
    return Log.open({
      ...this.#options,
      directory,
      config,
      openFiles: this.#openFiles,
      indexes: this.#indexes,
      durableOffset: point?.topicId === identity.topicId ? point.durableOffset : 0,
    });
  }

  /** Leaves a directory that is this partition's. */
  async #prepare(name: string, { topicId }: PartitionIdentity): Promise<void> {
    const { files, acceptCorruption } = this.#options;
    const directory = this.#pathOf(name);
    const found = await readTopicId(this.#options, directory);
    if (found === topicId) return;

    if (found !== undefined) {
      await this.#removeDirectory(name);
    } else if (!acceptCorruption) {
      // The file comes before the first segment and goes after the last: without it, segments are not ours to judge.
      const segment = (await files.list(directory)).find((entry) => parseSegmentName(entry) !== undefined);
      if (segment) {
        const path = `${directory}/${partitionMetadataName}`;
        throw new LogCorruptError(`Cannot open log "${directory}": it has segments but no topic id`, {
          path,
          position: 0,
        });
      }
    }
    await files.makeDirectory(directory);
    await writeTopicId(this.#options, directory, topicId);
  }

  /** The topic id goes last: what a crash leaves of the directory is still known for what it is. */
  async #removeDirectory(name: string): Promise<void> {
    const { files } = this.#options;
    const directory = this.#pathOf(name);
    for (const entry of await files.list(directory)) {
      if (entry !== partitionMetadataName) await files.remove(`${directory}/${entry}`);
    }
    await files.syncDirectory(directory);
    await files.removeDirectory(directory);
    await files.syncDirectory(this.#options.directory);
  }

  #pathOf(name: string): string {
    return `${this.#options.directory}/${name}`;
  }
}

function pointsPath({ directory }: { directory: string }): string {
  return `${directory}/recovery-points`;
}
