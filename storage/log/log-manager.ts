import type { BatchCache } from "../cache/batch-cache.ts";
import type { FileSystem } from "../io/file.ts";
import { type AlignedMemory, type Checksum, readFile, replaceFile } from "../snapshots/small-file.ts";
import type { BatchFormat } from "./batch-format.ts";
import type { DirtyBudget } from "./dirty-budget.ts";
import { Log } from "./log.ts";
import type { LogConfig } from "./log-config.ts";
import { OpenFiles } from "./open-files.ts";
import { SegmentIndexes } from "./segment-indexes.ts";

/** What all logs of a node share. */
export interface LogManagerOptions {
  readonly files: FileSystem;
  /** Each log has a directory of its own in here. */
  readonly directory: string;
  readonly arena: AlignedMemory;
  readonly checksum: Checksum;
  readonly format: BatchFormat;
  readonly cache: BatchCache;
  readonly dirty: DirtyBudget;
  readonly nowMs: () => number;
  readonly acceptCorruption?: boolean;
}

/** Which log to open. */
export interface LogPlace {
  readonly topic: string;
  /** Tells a topic from an earlier one of the same name. */
  readonly topicId: string;
  readonly partition: number;
  readonly config: LogConfig;
  /** Everything below is known to be durable in the segments. */
  readonly durableOffset?: number;
}

/** Directories that only wait for their removal. */
const deletedSuffix = "-delete";
const identityName = "partition.metadata";

/**
 * The logs of a node: `<directory>/<topic>-<partition>`, each marked with its topic's id in Kafka's
 * `partition.metadata`, so that what is left of a deleted topic never passes for a new one's data.
 */
export class LogManager implements AsyncDisposable {
  readonly dirty: DirtyBudget;
  readonly #options: LogManagerOptions;
  readonly #openFiles: OpenFiles;
  readonly #indexes: SegmentIndexes;

  /** Clears away what deletions before a crash have left. @throws DiskError */
  static async open(options: LogManagerOptions): Promise<LogManager> {
    const { files, directory } = options;
    for (const name of await files.list(directory)) {
      if (name.endsWith(deletedSuffix)) await files.removeDirectory(`${directory}/${name}`);
    }
    return new LogManager(options);
  }

  private constructor(options: LogManagerOptions) {
    this.#options = options;
    this.dirty = options.dirty;
    this.#openFiles = new OpenFiles(options.files);
    this.#indexes = new SegmentIndexes({ ...options, openFiles: this.#openFiles });
  }

  /** Opens a partition's log, or makes an empty one. @throws LogCorruptError, DiskError */
  async open(place: LogPlace): Promise<Log> {
    const { files } = this.#options;
    const directory = `${this.#options.directory}/${place.topic}-${place.partition}`;
    const identityPath = `${directory}/${identityName}`;
    const identity = identityText(place.topicId);
    const found = await readFile(this.#options, identityPath);
    if (!found || new TextDecoder().decode(found) !== identity) {
      if (await files.exists(directory)) await this.#moveAside(directory, place.topicId);
      await files.makeDirectory(directory);
      await replaceFile(this.#options, identityPath, new TextEncoder().encode(identity));
    }
    const { durableOffset } = place;
    return Log.open({
      ...this.#options,
      directory,
      config: place.config,
      openFiles: this.#openFiles,
      indexes: this.#indexes,
      ...(durableOffset === undefined ? {} : { durableOffset }),
    });
  }

  /** Removes a log with its directory; a crash in between leaves a directory that the next start removes. @throws DiskError */
  async remove(log: Log): Promise<void> {
    await log.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#openFiles[Symbol.asyncDispose]();
  }

  async #moveAside(directory: string, topicId: string): Promise<void> {
    const { files } = this.#options;
    const aside = `${directory}.${topicId}${deletedSuffix}`;
    await files.removeDirectory(aside);
    await files.rename(directory, aside);
    await files.syncDirectory(this.#options.directory);
    await files.removeDirectory(aside);
  }
}

/** Kafka's text form. */
function identityText(topicId: string): string {
  return `version: 0\ntopic_id: ${topicId}\n`;
}
