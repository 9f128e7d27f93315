import type { BatchHeader } from "./batch-format.ts";
import { OffsetIndex } from "./offset-index.ts";
import { TimeIndex } from "./time-index.ts";

/** What is known of a segment without reading it. */
export interface SegmentFacts {
  readonly baseOffset: number;
  /** One past the last offset in it. */
  readonly nextOffset: number;
  /** Bytes of whole batches; the file of the open segment may be longer by its padding. */
  readonly sizeBytes: number;
  /** Largest timestamp of the first batch: from here on time runs towards `segmentMs`. */
  readonly firstTimestampMs: number;
  readonly maxTimestampMs: number;
  /** Base offset of the first batch that holds `maxTimestampMs`. */
  readonly maxTimestampBaseOffset: number;
}

/** One file of committed batches, byte for byte a Kafka segment. Sealed ones never change again. */
export class Segment implements SegmentFacts {
  readonly baseOffset: number;
  nextOffset: number;
  sizeBytes = 0;
  firstTimestampMs = -1;
  maxTimestampMs = -1;
  maxTimestampBaseOffset: number;
  isSealed = false;
  /** Always there for the open segment; for sealed ones only while it is in use. */
  index: SegmentIndex | undefined;
  readonly #directory: string;

  constructor(directory: string, baseOffset: number) {
    this.#directory = directory;
    this.baseOffset = baseOffset;
    this.nextOffset = baseOffset;
    this.maxTimestampBaseOffset = baseOffset;
  }

  static fromFacts(directory: string, facts: SegmentFacts): Segment {
    const segment = new Segment(directory, facts.baseOffset);
    segment.nextOffset = facts.nextOffset;
    segment.sizeBytes = facts.sizeBytes;
    segment.firstTimestampMs = facts.firstTimestampMs;
    segment.maxTimestampMs = facts.maxTimestampMs;
    segment.maxTimestampBaseOffset = facts.maxTimestampBaseOffset;
    return segment;
  }

  get path(): string {
    return segmentPath(this.#directory, this.baseOffset, "log");
  }

  get indexPath(): string {
    return segmentPath(this.#directory, this.baseOffset, "index");
  }

  get timeIndexPath(): string {
    return segmentPath(this.#directory, this.baseOffset, "timeindex");
  }

  /** Starts over with nothing in it. */
  forgetBatches(): void {
    Object.assign(this, new Segment(this.#directory, this.baseOffset), { isSealed: this.isSealed });
  }

  /** Counts in the next batch, which lies at the segment's end. */
  note(header: BatchHeader): void {
    if (this.sizeBytes === 0) this.firstTimestampMs = header.maxTimestampMs;
    if (header.maxTimestampMs > this.maxTimestampMs) {
      this.maxTimestampMs = header.maxTimestampMs;
      this.maxTimestampBaseOffset = header.baseOffset;
    }
    this.index?.note(header, this);
    this.sizeBytes += header.sizeBytes;
    this.nextOffset = header.nextOffset;
  }
}

/** Both indexes of a segment, and when the next entry is due. */
export class SegmentIndex {
  readonly offsets: OffsetIndex;
  readonly times: TimeIndex;
  readonly #intervalBytes: number;
  #bytesSinceEntry = 0;

  constructor(
    baseOffset: number,
    intervalBytes: number,
    loaded?: { offsets: OffsetIndex; times: TimeIndex },
  ) {
    this.offsets = loaded?.offsets ?? new OffsetIndex(baseOffset);
    this.times = loaded?.times ?? new TimeIndex(baseOffset);
    this.#intervalBytes = intervalBytes;
  }

  get sizeBytes(): number {
    return this.offsets.sizeBytes + this.times.sizeBytes;
  }

  /** Called with each batch at the end of `segment`, whose timestamps already count it. */
  note(header: BatchHeader, segment: SegmentFacts): void {
    if (this.#bytesSinceEntry > this.#intervalBytes) {
      this.offsets.add({ lastOffset: header.nextOffset - 1, position: segment.sizeBytes });
      this.noteTime(segment);
      this.#bytesSinceEntry = 0;
    }
    this.#bytesSinceEntry += header.sizeBytes;
  }

  /** Adds the largest timestamp so far, which every sealed segment's time index ends with. */
  noteTime(segment: SegmentFacts): void {
    this.times.add({ timestampMs: segment.maxTimestampMs, offset: segment.maxTimestampBaseOffset });
  }
}

/** `<directory>/<20 digits>.<extension>`, so that names sort by offset. */
export function segmentPath(directory: string, baseOffset: number, extension: string): string {
  return `${directory}/${String(baseOffset).padStart(20, "0")}.${extension}`;
}

/** The base offset in a segment file's name; undefined for other names. */
export function parseSegmentName(name: string): number | undefined {
  const match = /^(\d{20})\.log$/.exec(name);
  if (!match) return undefined;
  const baseOffset = Number(match[1]);
  return Number.isSafeInteger(baseOffset) ? baseOffset : undefined;
}
