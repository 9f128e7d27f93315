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
  /** How often compaction has written it anew; each time under another name, so that no reader takes one for the other. */
  readonly generation: number;
}

/** One file of committed batches, byte for byte a Kafka segment. Sealed ones never change again: compaction replaces them. */
export class Segment implements SegmentFacts {
  readonly baseOffset: number;
  readonly generation: number;
  nextOffset: number;
  sizeBytes = 0;
  firstTimestampMs = -1;
  maxTimestampMs = -1;
  maxTimestampBaseOffset: number;
  isSealed = false;
  /** No longer part of its log: what is still read of it must not be kept. */
  isRemoved = false;
  /** Always there for the open segment; for sealed ones only while it is in use. */
  index: SegmentIndex | undefined;
  readonly #directory: string;

  constructor(directory: string, baseOffset: number, generation = 0) {
    this.#directory = directory;
    this.baseOffset = baseOffset;
    this.generation = generation;
    this.nextOffset = baseOffset;
    this.maxTimestampBaseOffset = baseOffset;
  }

  static fromFacts(directory: string, facts: SegmentFacts): Segment {
    const segment = new Segment(directory, facts.baseOffset, facts.generation);
    segment.nextOffset = facts.nextOffset;
    segment.sizeBytes = facts.sizeBytes;
    segment.firstTimestampMs = facts.firstTimestampMs;
    segment.maxTimestampMs = facts.maxTimestampMs;
    segment.maxTimestampBaseOffset = facts.maxTimestampBaseOffset;
    return segment;
  }

  get path(): string {
    return segmentPath(this.#directory, this, "log");
  }

  get indexPath(): string {
    return segmentPath(this.#directory, this, "index");
  }

  get timeIndexPath(): string {
    return segmentPath(this.#directory, this, "timeindex");
  }

  /** Starts over with nothing in it. */
  forgetBatches(): void {
    const fresh = new Segment(this.#directory, this.baseOffset, this.generation);
    Object.assign(this, fresh, { isSealed: this.isSealed });
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

/** What a segment's files are named after. */
export type SegmentId = Pick<SegmentFacts, "baseOffset" | "generation">;

/** `<20 digits>.log`, and `<20 digits>.<generation>.log` once compacted: Kafka's tools take the offset up to the first dot. */
export function segmentName({ baseOffset, generation }: SegmentId, extension = "log"): string {
  const digits = String(baseOffset).padStart(20, "0");
  return generation === 0 ? `${digits}.${extension}` : `${digits}.${generation}.${extension}`;
}

function segmentPath(directory: string, id: SegmentId, extension: string): string {
  return `${directory}/${segmentName(id, extension)}`;
}

/** The segment that a file's name stands for; undefined for other names. */
export function parseSegmentName(name: string): SegmentId | undefined {
  const match = /^(\d{20})(?:\.(\d{1,9}))?\.log$/.exec(name);
  if (!match) return undefined;
  const baseOffset = Number(match[1]);
  return Number.isSafeInteger(baseOffset) ? { baseOffset, generation: Number(match[2] ?? 0) } : undefined;
}
