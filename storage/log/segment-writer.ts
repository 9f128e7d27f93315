import assert from "node:assert/strict";
import { dirname } from "node:path/posix";
import { withAligned } from "../io/aligned-loan.ts";
import { alignDown, alignUp } from "../io/alignment.ts";
import { blockBytes } from "../io/file.ts";
import type { DirtyBatch } from "./dirty-batches.ts";
import type { LogConfig } from "./log-config.ts";
import type { LogDisk } from "./log-disk.ts";
import type { Segment } from "./segment.ts";
import { readSegment } from "./segment-reader.ts";
import { TimeIndex } from "./time-index.ts";

/** Index entries hold 31 bits of position and of relative offset. */
export const indexedMax = 2 ** 31 - 1;

/**
 * Appends batches to the open segment of one log, in large aligned writes.
 *
 * The last, partial block is written with zeros behind it and once more with what follows: its first bytes are the
 * same each time, so a torn write cannot hurt what was durable. Not for concurrent calls.
 */
export class SegmentWriter {
  readonly segment: Segment;
  readonly #disk: LogDisk;
  /** Wall time at which it was begun, or found at a start. */
  readonly createdMs: number;
  #exists: boolean;
  /** Bytes of the partial last block; undefined until they were read after a restart. */
  #partialBlock: Uint8Array | undefined;

  constructor(disk: LogDisk, segment: Segment, file: { exists: boolean; createdMs: number }) {
    assert(!segment.isSealed);
    this.#disk = disk;
    this.segment = segment;
    this.#exists = file.exists;
    this.createdMs = file.createdMs;
    if (segment.sizeBytes % blockBytes === 0) this.#partialBlock = new Uint8Array(0);
  }

  /**
   * The batches that go into this segment with the next write: none when the segment is full for the first of
   * them. Kafka's rules for size, time and room in the indexes.
   */
  take(dirty: Iterable<DirtyBatch>, config: LogConfig, nowMs: number): DirtyBatch[] {
    const { segment } = this;
    const taken: DirtyBatch[] = [];
    if (segment.isSealed || this.#hasFullIndex(config)) return taken;
    let takenBytes = 0;
    let firstTimestampMs = segment.firstTimestampMs;
    for (const batch of dirty) {
      const sizeBytes = batch.bytes.length;
      if (takenBytes > 0 && takenBytes + sizeBytes > config.writeBytesMax) break;
      if (batch.nextOffset - 1 - segment.baseOffset > indexedMax) break;

      const segmentBytes = segment.sizeBytes + takenBytes;
      if (segmentBytes === 0) {
        firstTimestampMs = batch.header.maxTimestampMs;
      } else {
        if (segmentBytes + sizeBytes > Math.min(config.segmentBytes, indexedMax)) break;
        const hasTimestamps = firstTimestampMs >= 0 && batch.header.maxTimestampMs >= 0;
        const ageMs = hasTimestamps ? batch.header.maxTimestampMs - firstTimestampMs : nowMs - this.createdMs;
        if (ageMs > config.segmentMs - config.segmentJitterMs) break;
      }
      taken.push(batch);
      takenBytes += sizeBytes;
    }
    return taken;
  }

  /** Writes batches behind the others, durably; facts and indexes count them once they are. @throws DiskError */
  async write(batches: readonly DirtyBatch[]): Promise<void> {
    const { segment } = this;
    await this.#create();
    this.#partialBlock ??= await this.#readPartialBlock();
    const kept = this.#partialBlock;
    const batchBytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
    const usedBytes = kept.length + batchBytes;
    const length = alignUp(usedBytes);

    await withAligned(this.#disk.arena, length, async (buffer) => {
      buffer.set(kept);
      let at = kept.length;
      for (const { bytes } of batches) {
        buffer.set(bytes, at);
        at += bytes.length;
      }
      buffer.fill(0, usedBytes, length);
      const position = segment.sizeBytes - kept.length;
      await this.#disk.openFiles.use(segment.path, "existing", (file) =>
        file.write(position, buffer.subarray(0, length)),
      );
      this.#partialBlock = buffer.slice(alignDown(usedBytes), usedBytes);
    });
    for (const { header } of batches) segment.note(header);
  }

  /** Ends the file for good; the indexes, which are complete now, are the caller's to write. @throws DiskError */
  async seal(): Promise<void> {
    const { segment } = this;
    await this.cutPadding();
    segment.index?.noteTime(segment);
    segment.isSealed = true;
  }

  /** Makes the file end with its last batch. @throws DiskError */
  async cutPadding(): Promise<void> {
    const { segment } = this;
    if (!this.#exists) return;
    await this.#disk.openFiles.use(segment.path, "existing", async (file) => {
      if ((await file.sizeBytes()) !== segment.sizeBytes) await file.resize(segment.sizeBytes);
    });
  }

  #hasFullIndex(config: LogConfig): boolean {
    const index = this.segment.index;
    assert(index);
    // One more time entry comes with sealing.
    const largestBytes = Math.max(index.offsets.sizeBytes, index.times.sizeBytes + TimeIndex.entryBytes);
    return this.segment.sizeBytes > 0 && largestBytes >= config.segmentIndexBytes;
  }

  async #create(): Promise<void> {
    if (this.#exists) return;
    const { path } = this.segment;
    if (!(await this.#disk.files.exists(path))) {
      await this.#disk.openFiles.use(path, "create", async () => {});
    }
    await this.#disk.files.syncDirectory(dirname(path));
    this.#exists = true;
  }

  async #readPartialBlock(): Promise<Uint8Array> {
    const position = alignDown(this.segment.sizeBytes);
    const sizeBytes = this.segment.sizeBytes - position;
    const bytes = await readSegment(this.#disk, this.segment.path, { position, sizeBytes });
    assert(bytes.length === sizeBytes);
    return bytes;
  }
}
