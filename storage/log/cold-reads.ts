import type { LogCache } from "../cache/batch-cache.ts";
import type { LogConfig } from "./log-config.ts";
import type { LogDisk } from "./log-disk.ts";
import { damaged, LogCorruptError } from "./log-error.ts";
import { type LogSlice, type ReadRequest, SliceBuilder } from "./log-slice.ts";
import type { Segment } from "./segment.ts";
import type { SegmentIndexes } from "./segment-indexes.ts";
import { readSegment, type Tail, walkBatches } from "./segment-reader.ts";

/** Where a reader will probably go on, so that it needs no index and gets more ahead. */
interface Trail {
  readonly segment: Segment;
  readonly position: number;
  /** Where the window begins that ends here. */
  readonly fromOffset: number;
  readonly windowBytes: number;
  /** The next window, on its way already; undefined inside where it could not be read. */
  readonly ahead?: Promise<Uint8Array | undefined> | undefined;
}

const firstWindowBytes = 65_536;
/** Readers that one log keeps in mind. */
const trailsMax = 32;

/** Reads of one log that its memory cannot answer: from segments, ahead of what was asked, into the cache. */
export class ColdReads {
  readonly #disk: LogDisk;
  readonly #cache: LogCache;
  readonly #indexes: SegmentIndexes;
  /** Next offset of a reader → its trail; least recently made first. */
  readonly #trails = new Map<number, Trail>();
  readonly #rebuilt = new WeakSet<Segment>();

  constructor(disk: LogDisk, cache: LogCache, indexes: SegmentIndexes) {
    this.#disk = disk;
    this.#cache = cache;
    this.#indexes = indexes;
  }

  /** Reads from `segment`, which reaches beyond the offset. @throws LogCorruptError, DiskError */
  async read(segment: Segment, request: ReadRequest, config: LogConfig): Promise<LogSlice> {
    const trail = this.#takeTrail(segment, request.offset);
    if (trail) return this.#readFrom(segment, trail, request, config, { isSequential: true });
    try {
      return await this.#readIndexed(segment, request, config);
    } catch (error) {
      if (!(error instanceof LogCorruptError) || !segment.isSealed || this.#rebuilt.has(segment)) throw error;
      // Kafka's index files carry no checksum: the batches may be whole and the index be wrong. Once, as it reads it all.
      this.#rebuilt.add(segment);
      await this.#indexes.rebuild(segment, config.indexIntervalBytes);
      return this.#readIndexed(segment, request, config);
    }
  }

  /**
   * Memory has answered a reader. Once it has come to the last window that was read for it, the next one is begun:
   * it is busy with this one meanwhile.
   */
  readOn(slice: LogSlice, { readAheadBytesMax }: LogConfig): void {
    for (const [nextOffset, trail] of this.#trails) {
      if (trail.ahead || slice.nextOffset <= trail.fromOffset || slice.nextOffset > nextOffset) continue;
      const { segment, position } = trail;
      const windowBytes = Math.min(trail.windowBytes * 2, readAheadBytesMax);
      const from = { endPosition: position, nextOffset };
      this.#leaveTrail(from, { ...trail, windowBytes, ahead: this.#readAhead(segment, from, windowBytes) });
      return;
    }
  }

  forgetTrails(): void {
    this.#trails.clear();
  }

  async #readIndexed(segment: Segment, request: ReadRequest, config: LogConfig): Promise<LogSlice> {
    const index = await this.#indexes.of(segment, config.indexIntervalBytes);
    const position = index.offsets.lookup(request.offset);
    const start = { segment, position, fromOffset: request.offset, windowBytes: firstWindowBytes };
    return this.#readFrom(segment, start, request, config, { isSequential: false });
  }

  async #readFrom(
    segment: Segment,
    { position, windowBytes, ahead }: Trail,
    request: ReadRequest,
    config: LogConfig,
    { isSequential }: { isSequential: boolean },
  ): Promise<LogSlice> {
    const builder = new SliceBuilder(request);
    const endPosition = segment.sizeBytes;
    let tail: Tail = { endPosition: position, nextOffset: segment.baseOffset };
    let readAhead = await ahead;
    let wantedBytes = Math.min(Math.max(windowBytes, request.maxBytes), config.readAheadBytesMax);
    while (tail.endPosition < endPosition) {
      const sizeBytes = readAhead?.length ?? Math.min(wantedBytes, endPosition - tail.endPosition);
      const range = { position: tail.endPosition, sizeBytes };
      const bytes = readAhead ?? (await readSegment(this.#disk, segment.path, range));
      readAhead = undefined;
      const walk = this.#walk(bytes, { from: tail, segment, request }, builder);
      tail = walk.tail;
      if (walk.isDone) {
        const grownBytes = Math.min(windowBytes * 2, config.readAheadBytesMax);
        this.#leaveTrail(tail, {
          segment,
          position: tail.endPosition,
          fromOffset: request.offset,
          windowBytes: grownBytes,
          ahead: isSequential ? this.#readAhead(segment, tail, grownBytes) : undefined,
        });
        return builder.finish();
      }
      if (
        walk.stop === "broken" ||
        bytes.length < sizeBytes ||
        walk.neededBytes > endPosition - tail.endPosition
      ) {
        throw damaged(segment.path, tail.endPosition);
      }
      // The first batch is longer than the window. Its size is known once its header was seen.
      if (walk.neededBytes > this.#disk.format.headerBytes && !request.atLeastOneBatch) {
        if (walk.neededBytes > request.maxBytes) return builder.finish();
      }
      wantedBytes = Math.max(walk.neededBytes, wantedBytes);
    }
    throw damaged(segment.path, endPosition);
  }

  /** Gathers and caches the batches of a window; done once the reader got something or can get nothing. */
  #walk(
    bytes: Uint8Array,
    { from, segment, request }: { from: Tail; segment: Segment; request: ReadRequest },
    builder: SliceBuilder,
  ) {
    let isFull = false;
    let follows: number | undefined;
    const walk = walkBatches(bytes, { format: this.#disk.format, from }, (batch, header) => {
      if (header.nextOffset <= request.offset) return undefined;
      const cached = { bytes: batch, baseOffset: header.baseOffset, nextOffset: header.nextOffset };
      // What compaction has replaced meanwhile may be answered once more, but not kept.
      if (!segment.isRemoved) this.#cache.put(cached, follows);
      follows = header.nextOffset;
      isFull ||= !builder.add(batch, header);
      return undefined;
    });
    return { ...walk, isDone: isFull || !builder.isEmpty };
  }

  #takeTrail(segment: Segment, offset: number): Trail | undefined {
    const trail = this.#trails.get(offset);
    if (trail?.segment !== segment) return undefined;
    this.#trails.delete(offset);
    return trail;
  }

  /** Begins to read what a sequential reader will ask for next, while it is busy with what it got. */
  #readAhead(segment: Segment, from: Tail, windowBytes: number): Trail["ahead"] {
    const sizeBytes = Math.min(windowBytes, segment.sizeBytes - from.endPosition);
    if (sizeBytes <= 0 || !this.#cache.beginReadAhead(sizeBytes)) return undefined;
    const range = { position: from.endPosition, sizeBytes };
    const ahead = readSegment(this.#disk, segment.path, range).then(
      (bytes) => (bytes.length === sizeBytes ? bytes : undefined),
      () => undefined, // Its reader will come across the failure itself.
    );
    ahead
      .then((bytes) => {
        this.#cache.endReadAhead();
        const trail = this.#trails.get(from.nextOffset);
        if (bytes && trail?.ahead === ahead) this.#keepAhead(bytes, from, trail);
      })
      .catch(() => this.#trails.delete(from.nextOffset));
    return ahead;
  }

  /** The window is here before its reader: the cache, which is bounded, keeps it and not the trail. */
  #keepAhead(bytes: Uint8Array, from: Tail, trail: Trail): void {
    const { segment, windowBytes } = trail;
    let follows = from.nextOffset;
    const { tail } = walkBatches(bytes, { format: this.#disk.format, from }, (batch, header) => {
      const cached = { bytes: batch, baseOffset: header.baseOffset, nextOffset: header.nextOffset };
      if (!segment.isRemoved) this.#cache.put(cached, follows);
      follows = header.nextOffset;
      return undefined;
    });
    this.#trails.delete(from.nextOffset);
    const { endPosition: position } = tail;
    this.#leaveTrail(tail, { segment, position, fromOffset: from.nextOffset, windowBytes });
  }

  #leaveTrail(tail: Tail, trail: Trail): void {
    this.#trails.delete(tail.nextOffset);
    this.#trails.set(tail.nextOffset, trail);
    if (this.#trails.size <= trailsMax) return;
    for (const oldest of this.#trails.keys()) {
      this.#trails.delete(oldest);
      return;
    }
  }
}
