import { alignUp } from "../io/alignment.ts";
import { temporarySuffix } from "../snapshots/small-file.ts";
import { EpochIndex } from "./epoch-index.ts";
import { type LogCheckpoint, readCheckpoint } from "./log-checkpoint.ts";
import type { LogDisk } from "./log-disk.ts";
import { damaged, LogCorruptError } from "./log-error.ts";
import { parseSegmentName, Segment, type SegmentId, SegmentIndex, segmentName } from "./segment.ts";
import { readIndex, rebuildIndex } from "./segment-index-files.ts";
import { readSegment, scanSegment, type Tail, walkBatches } from "./segment-reader.ts";

/** A log as its files tell it. */
export interface RecoveredLog {
  readonly startOffset: number;
  readonly nextOffset: number;
  /** In order; only the last one may be open for more. */
  readonly segments: Segment[];
  readonly epochs: EpochIndex;
  /** Compaction came up to here. */
  readonly cleanedOffset: number;
  /** Bytes that the next restart would have to scan again. */
  readonly uncheckpointedBytes: number;
  /** What was given up under `acceptCorruption`. */
  readonly damage: readonly LogCorruptError[];
  /** Where an unfinished last write was cut off. */
  readonly tornTail: TornTail | undefined;
}

/** Bytes behind the last intact batch, which nobody was promised. */
export interface TornTail {
  readonly path: string;
  readonly position: number;
  readonly sizeBytes: number;
}

export interface RecoveryOptions {
  readonly directory: string;
  readonly indexIntervalBytes: number;
  /** Everything below was durable, by the word of someone who knows: what is missing there is damage, not a torn write. */
  readonly durableOffset: number;
  /** Goes on with what is intact instead of refusing damage. */
  readonly acceptCorruption: boolean;
}

/**
 * No single write is longer, unless it is one batch: so an intact batch this far behind a broken one was written
 * after the broken one was durable, and the broken one is damage. Nearer by, both may be of one torn write.
 */
export const tornBytesMax = 4_194_304;

/** Finds the segments of a log among the files of its directory, and the end of its intact batches. @throws LogCorruptError, DiskError */
export async function recoverLog(
  disk: LogDisk,
  names: readonly string[],
  options: RecoveryOptions,
): Promise<RecoveredLog> {
  for (const name of names) {
    if (name.endsWith(temporarySuffix)) await disk.files.remove(`${options.directory}/${name}`);
  }
  const recovered = await new Recovery(disk, options).run(names);
  await removeStrayIndexes(disk, names, { directory: options.directory, segments: recovered.segments });
  return recovered;
}

/** A crash may keep an index whose segment is gone: nobody would ever remove it. */
async function removeStrayIndexes(
  disk: LogDisk,
  names: readonly string[],
  { directory, segments }: { directory: string; segments: readonly Segment[] },
): Promise<void> {
  const known = new Set(segments.map((segment) => segmentName(segment)));
  for (const name of names) {
    const match = /^(\d{20}(?:\.\d{1,9})?)\.(?:time)?index$/.exec(name);
    if (match && !known.has(`${match[1]}.log`)) await disk.files.remove(`${directory}/${name}`);
  }
}

class Recovery {
  readonly #disk: LogDisk;
  readonly #options: RecoveryOptions;
  readonly #segments: Segment[] = [];
  readonly #damage: LogCorruptError[] = [];
  #tornTail: TornTail | undefined;
  #epochs = new EpochIndex();
  #nextOffset = 0;
  #uncheckpointedBytes = 0;
  /** Something was written since the last checkpoint. */
  #isUnclean = false;

  constructor(disk: LogDisk, options: RecoveryOptions) {
    this.#disk = disk;
    this.#options = options;
  }

  async run(names: readonly string[]): Promise<RecoveredLog> {
    const found = names.map(parseSegmentName).filter((id) => id !== undefined);
    found.sort((a, b) => a.baseOffset - b.baseOffset || a.generation - b.generation);
    const checkpoint = await this.#readCheckpoint();
    if (checkpoint) await this.#openFromCheckpoint(checkpoint, found);
    else await this.#openFromFiles(found);

    const startOffset = checkpoint?.startOffset ?? this.#segments[0]?.baseOffset ?? 0;
    const nextOffset = Math.max(this.#nextOffset, startOffset);
    if (nextOffset < this.#options.durableOffset) this.#report(this.#endsEarly(nextOffset));
    return {
      startOffset,
      nextOffset,
      segments: this.#segments,
      epochs: this.#epochs,
      cleanedOffset: checkpoint?.cleanedOffset ?? 0,
      uncheckpointedBytes: this.#uncheckpointedBytes,
      damage: this.#damage,
      tornTail: this.#tornTail,
    };
  }

  async #readCheckpoint(): Promise<LogCheckpoint | undefined> {
    try {
      return await readCheckpoint(this.#disk, this.#options.directory);
    } catch (error) {
      if (!(error instanceof LogCorruptError)) throw error;
      this.#report(error);
      return undefined;
    }
  }

  async #openFromCheckpoint(checkpoint: LogCheckpoint, found: readonly SegmentId[]): Promise<void> {
    const { directory } = this.#options;
    this.#epochs = new EpochIndex(checkpoint.epochs);
    this.#nextOffset = checkpoint.nextOffset;
    const onDisk = new Map(found.map((id) => [segmentName(id), id]));
    for (const facts of checkpoint.sealed) {
      const segment = Segment.fromFacts(directory, facts);
      segment.isSealed = true;
      if (onDisk.delete(segmentName(facts))) this.#segments.push(segment);
      else this.#report(missing(segment));
    }

    const openFrom = checkpoint.open?.baseOffset ?? checkpoint.nextOffset;
    const isNewer = (id: SegmentId) => id.baseOffset >= openFrom && id.generation === 0;
    const leftovers = [...onDisk.values()].filter((id) => !isNewer(id));
    for (const id of leftovers) await this.#removeLeftover(id, checkpoint);
    // The next checkpoint may be silent about them only when they are gone for good.
    if (leftovers.length > 0) await this.#disk.files.syncDirectory(directory);

    const open = [...onDisk.values()].filter(isNewer).map(({ baseOffset }) => baseOffset);
    const facts = checkpoint.open;
    if (facts && open[0] !== facts.baseOffset) this.#report(missing(Segment.fromFacts(directory, facts)));
    for (const [i, baseOffset] of open.entries()) {
      const known = facts?.baseOffset === baseOffset ? Segment.fromFacts(directory, facts) : undefined;
      await this.#scan(known ?? new Segment(directory, baseOffset), i === open.length - 1);
    }
    if (this.#isUnclean) await this.#checkSizes();
  }

  /** No checkpoint: the log is young, or lost it. Everything is read. */
  async #openFromFiles(found: readonly SegmentId[]): Promise<void> {
    const { directory } = this.#options;
    for (const [i, { baseOffset, generation }] of found.entries()) {
      const segment = new Segment(directory, baseOffset, generation);
      // Of what compaction made and what it was made of, the old files come first, and go first once they are replaced.
      const isReplica = this.#segments.length > 0 && baseOffset < this.#nextOffset;
      if (isReplica || this.#segments.at(-1)?.baseOffset === baseOffset) await this.#remove(segment);
      else await this.#scan(segment, i === found.length - 1);
    }
  }

  /** Takes in a segment and reads its batches beyond those that its facts count already. */
  async #scan(segment: Segment, isLast: boolean): Promise<void> {
    const { path } = segment;
    const fileBytes = await this.#disk.openFiles.use(path, "existing", (file) => file.sizeBytes());
    this.#segments.push(segment);
    segment.isSealed = !isLast;
    // Cut to its last batch by a clean stop: nothing was written since, and the index can wait for its first use.
    if (isLast && fileBytes === segment.sizeBytes) {
      this.#nextOffset = Math.max(this.#nextOffset, segment.nextOffset);
      return;
    }
    this.#isUnclean = true;
    if (fileBytes < segment.sizeBytes || !(await this.#hasIndex(segment))) {
      this.#report(damaged(path, Math.min(fileBytes, segment.sizeBytes)));
      segment.forgetBatches();
      await this.#hasIndex(segment);
    }

    const known: Tail = { endPosition: segment.sizeBytes, nextOffset: segment.nextOffset };
    const end = await scanSegment(
      this.#disk,
      path,
      { from: known, endPosition: fileBytes },
      (_batch, header) => {
        segment.note(header);
        this.#epochs.note(header);
        return undefined;
      },
    );
    this.#nextOffset = Math.max(this.#nextOffset, segment.nextOffset);
    this.#uncheckpointedBytes += segment.sizeBytes - known.endPosition;
    if (end.stop === "broken") await this.#cut(segment, { fileBytes, isLast });
    if (segment.sizeBytes > known.endPosition) await this.#makeDurable(segment);
  }

  /**
   * What was found past the checkpoint may, where a page cache lies between, not be on the disk at all, and from now on
   * the journal relies on it: resizing to the same size syncs it.
   */
  async #makeDurable({ path }: Segment): Promise<void> {
    await this.#disk.openFiles.use(path, "existing", async (file) => file.resize(await file.sizeBytes()));
  }

  /** Ends a segment at its last intact batch, if what follows can be a torn write. */
  async #cut(segment: Segment, { fileBytes, isLast }: { fileBytes: number; isLast: boolean }): Promise<void> {
    const position = segment.sizeBytes;
    const wasDurable = !isLast || segment.nextOffset < this.#options.durableOffset;
    if (!wasDurable && (await this.#isPadding(segment, fileBytes))) return;
    if (wasDurable || (await this.#hasLaterBatch(segment, fileBytes)))
      this.#report(damaged(segment.path, position));
    else this.#tornTail = { path: segment.path, position, sizeBytes: fileBytes - position };
    await this.#disk.openFiles.use(segment.path, "existing", (file) => file.resize(position));
  }

  /** Zeros to the end of the block, as every flush leaves them: no torn write, and nothing to cut. */
  async #isPadding({ path, sizeBytes }: Segment, fileBytes: number): Promise<boolean> {
    if (fileBytes !== alignUp(sizeBytes)) return false;
    const rest = await readSegment(this.#disk, path, {
      position: sizeBytes,
      sizeBytes: fileBytes - sizeBytes,
    });
    return rest.every((byte) => byte === 0);
  }

  async #hasLaterBatch(segment: Segment, fileBytes: number): Promise<boolean> {
    const { format } = this.#disk;
    const nextOffset = segment.nextOffset;
    for (let at = segment.sizeBytes + tornBytesMax; at < fileBytes; at += tornBytesMax) {
      // Windows overlap by a header, so that none is missed between two.
      const sizeBytes = Math.min(tornBytesMax + format.headerBytes, fileBytes - at);
      const bytes = await readSegment(this.#disk, segment.path, { position: at, sizeBytes });
      for (let i = 0; i + format.headerBytes <= bytes.length; i++) {
        const header = format.readHeader(bytes, i);
        const isPlausible =
          header.sizeBytes >= format.headerBytes &&
          header.sizeBytes <= fileBytes - at - i &&
          header.baseOffset >= nextOffset &&
          header.nextOffset > header.baseOffset &&
          header.nextOffset - nextOffset < 2 ** 31;
        if (!isPlausible) continue;
        const range = { position: at + i, sizeBytes: header.sizeBytes };
        const batch = await readSegment(this.#disk, segment.path, range);
        const from = { endPosition: 0, nextOffset };
        if (walkBatches(batch, { format, from }, () => false).stop === "asked") return true;
      }
    }
    return false;
  }

  /** Gives a segment the index of its known batches; false when those are damaged. */
  async #hasIndex(segment: Segment): Promise<boolean> {
    const intervalBytes = this.#options.indexIntervalBytes;
    if (segment.sizeBytes === 0) {
      segment.index = new SegmentIndex(segment.baseOffset, intervalBytes);
      return true;
    }
    try {
      segment.index =
        (await readIndex(this.#disk, segment, intervalBytes)) ??
        (await rebuildIndex(this.#disk, segment, intervalBytes));
      return true;
    } catch (error) {
      if (error instanceof LogCorruptError) return false;
      throw error;
    }
  }

  /** After a crash: sealed segments must be as long as they were. Their batches are checked whenever they are read. */
  async #checkSizes(): Promise<void> {
    for (const segment of this.#segments) {
      if (!segment.isSealed) continue;
      const fileBytes = await this.#disk.openFiles.use(segment.path, "existing", (file) => file.sizeBytes());
      if (fileBytes !== segment.sizeBytes)
        this.#report(damaged(segment.path, Math.min(fileBytes, segment.sizeBytes)));
    }
  }

  /**
   * A trim removes files after its checkpoint: what a crash left of them lies below the start. Compaction does, too: its
   * checkpoint names them; and the files that it made have generations, also those that no checkpoint came to name.
   */
  async #removeLeftover(id: SegmentId, checkpoint: LogCheckpoint): Promise<void> {
    const segment = new Segment(this.#options.directory, id.baseOffset, id.generation);
    const isReplaced = id.generation > 0 || checkpoint.replaced.includes(segmentName(id));
    if (id.baseOffset >= checkpoint.startOffset && !isReplaced) {
      this.#report(
        new LogCorruptError(`Cannot open "${segment.path}": the log's checkpoint does not know it`, {
          path: segment.path,
          position: 0,
        }),
      );
      return;
    }
    await this.#remove(segment);
  }

  async #remove(segment: Segment): Promise<void> {
    await this.#disk.openFiles.forget(segment.path);
    for (const path of [segment.indexPath, segment.timeIndexPath, segment.path])
      await this.#disk.files.remove(path);
  }

  #endsEarly(nextOffset: number): LogCorruptError {
    const { directory, durableOffset } = this.#options;
    const last = this.#segments.at(-1);
    return new LogCorruptError(
      `Cannot open log "${directory}": it ends at offset ${nextOffset}, ${durableOffset} was durable`,
      { path: last?.path ?? directory, position: last?.sizeBytes ?? 0 },
    );
  }

  #report(error: LogCorruptError): void {
    if (!this.#options.acceptCorruption) throw error;
    this.#damage.push(error);
  }
}

function missing(segment: Segment): LogCorruptError {
  return new LogCorruptError(`Cannot open "${segment.path}": the file is missing`, {
    path: segment.path,
    position: 0,
  });
}
