import assert from "node:assert/strict";
import type { BufferArena } from "../io/buffer-arena.ts";
import { blockBytes } from "../io/file.ts";
import type { Checksum, RecoveredGroup } from "./entry.ts";
import { type FrameHeader, frameHeaderBytes } from "./frame.ts";
import { type FoundFrame, FrameReader } from "./frame-reader.ts";
import type { JournalFile } from "./journal-file.ts";
import type { JournalIndex } from "./journal-index.ts";
import { RecordCursor } from "./record.ts";
import { type EntryGap, RecoveredGroups } from "./recovered-groups.ts";

/** Bytes that are read at once: several frames of the usual largest size, so that few straddle the end and are read twice. */
const windowBytes = 8 * 1024 * 1024;

/** A place in the journal where frames are lost: broken ones with good ones behind them. */
export interface LostFrames {
  readonly path: string;
  /** Where the first lost frame would begin. */
  readonly position: number;
  /** Frames that the numbering shows to be missing; undefined where it cannot tell. */
  readonly frameCount: number | undefined;
}

/** What start found; an operator wants to know of anything torn or lost. */
export interface RecoveryReport {
  readonly framesRead: number;
  readonly bytesRead: number;
  /** Where an unfinished last write was cut off. */
  readonly tornTail: { readonly path: string; readonly position: number } | undefined;
  /** Empty unless corruption was accepted. */
  readonly lost: readonly LostFrames[];
  /** Empty unless corruption was accepted. */
  readonly gaps: readonly EntryGap[];
}

/** Durable frames are damaged or missing: starting would forget what was acknowledged. */
export class JournalCorruptError extends Error {
  readonly path: string;
  readonly position: number;

  constructor(state: string, { path, position }: { path: string; position: number }) {
    super(`Cannot read journal "${path}" at position ${position}: ${state}`);
    this.name = "JournalCorruptError";
    this.path = path;
    this.position = position;
  }
}

export interface ReplayResult {
  readonly groups: Map<number, RecoveredGroup>;
  readonly report: RecoveryReport;
  /** Undefined when there is no frame at all. */
  readonly tail: JournalTail | undefined;
}

/** Where the next frame goes. */
export interface JournalTail {
  readonly journalId: number;
  readonly file: JournalFile;
  readonly position: number;
  readonly nextFrameSequence: number;
}

export interface ReplayOptions {
  /** All files by rising sequence. */
  readonly files: readonly JournalFile[];
  readonly index: JournalIndex;
  readonly arena: BufferArena;
  readonly checksum: Checksum;
  readonly acceptCorruption: boolean;
}

/**
 * Reads the whole journal back.
 *
 * Frames are numbered without gaps over all files and written one at a time, so at most the very last one can be
 * torn: a place without a good frame is the end when no later frame is found anywhere, and corruption otherwise.
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const reader = new FrameReader({ arena: options.arena, checksum: options.checksum, windowBytes });
  try {
    return await new Replay(options, reader).run();
  } finally {
    reader.close();
  }
}

interface Place {
  readonly fileAt: number;
  readonly position: number;
}

interface LaterFrame {
  readonly place: Place;
  readonly file: JournalFile;
  readonly header: FrameHeader;
}

class Replay {
  readonly #options: ReplayOptions;
  readonly #reader: FrameReader;
  readonly #groups = new RecoveredGroups();
  readonly #lost: LostFrames[] = [];
  #tail: JournalTail | undefined;
  #framesRead = 0;
  #bytesRead = 0;

  constructor(options: ReplayOptions, reader: FrameReader) {
    this.#options = options;
    this.#reader = reader;
  }

  async run(): Promise<ReplayResult> {
    let place: Place = { fileAt: 0, position: 0 };
    for (;;) {
      place = await this.#followFrames(place);
      const next = await this.#findLater(place);
      if (!next) break;
      this.#reportLoss(place, next);
      place = next.place;
    }
    const tornTail = await this.#tornTail(place);
    const { groups, gaps } = this.#groups.finish();
    this.#checkGaps(gaps, place);
    const report = {
      framesRead: this.#framesRead,
      bytesRead: this.#bytesRead,
      tornTail,
      lost: this.#lost,
      gaps,
    };
    return { groups, report, tail: this.#tail };
  }

  /** Applies frames as long as each is the next one; answers where that ends. */
  async #followFrames(start: Place): Promise<Place> {
    let { fileAt, position } = start;
    for (;;) {
      const file = this.#options.files[fileAt];
      if (!file) return { fileAt, position };
      const frame = await this.#reader.read(file, position);
      if (frame && this.#isNext(frame)) {
        this.#apply(frame, fileAt);
        position += frame.sizeBytes;
        continue;
      }
      // A file may end before its last byte: then the next one begins with the next frame.
      const following = this.#options.files[fileAt + 1];
      const first = following && this.#tail && (await this.#reader.read(following, 0));
      if (!first || !this.#isNext(first)) return { fileAt, position };
      fileAt++;
      position = 0;
    }
  }

  #isNext({ header, position }: FoundFrame): boolean {
    if (!this.#tail) return position === 0 && header.isState;
    return header.frameSequence === this.#tail.nextFrameSequence;
  }

  #apply({ header, position, bytes, sizeBytes }: FoundFrame, fileAt: number): void {
    const { files, index, checksum } = this.#options;
    const known = files.slice(0, fileAt + 1);
    const file = files[fileAt];
    if (!file) return;
    const records = new RecordCursor(bytes, frameHeaderBytes, frameHeaderBytes + header.bodyBytes);
    let recordCount = 0;
    while (records.next()) {
      recordCount++;
      index.apply(records, known);
      this.#groups.apply(records, ({ payloadPosition, payloadBytes }) => ({
        fileSequence: file.sequence,
        position: position + payloadPosition,
        sizeBytes: payloadBytes,
        checksum: checksum(bytes.subarray(payloadPosition, payloadPosition + payloadBytes)) >>> 0,
      }));
    }
    assert(recordCount === header.recordCount);
    this.#reader.journalId = header.journalId;
    this.#framesRead++;
    this.#bytesRead += sizeBytes;
    this.#tail = {
      journalId: header.journalId,
      file,
      position: position + sizeBytes,
      nextFrameSequence: header.frameSequence + 1,
    };
  }

  /** The first good frame behind `place` that belongs after what was read. */
  async #findLater(place: Place): Promise<LaterFrame | undefined> {
    const { files } = this.#options;
    for (let fileAt = place.fileAt; fileAt < files.length; fileAt++) {
      const file = files[fileAt];
      if (!file) break;
      const start = fileAt === place.fileAt ? place.position : 0;
      for (let position = start; position < file.sizeBytes; position += blockBytes) {
        const frame = await this.#reader.read(file, position);
        if (frame && this.#isLater(frame)) return { place: { fileAt, position }, file, header: frame.header };
      }
    }
    return undefined;
  }

  #isLater({ header }: FoundFrame): boolean {
    if (!this.#tail) return true;
    return header.frameSequence >= this.#tail.nextFrameSequence;
  }

  /** Throws, or takes the frame found as the next one. */
  #reportLoss(place: Place, { file, header, place: resumed }: LaterFrame): void {
    const at = { path: this.#options.files[place.fileAt]?.file.path ?? "", position: place.position };
    if (!this.#options.acceptCorruption) {
      throw new JournalCorruptError(
        `no intact frame, but a later one (${header.frameSequence}) is; acknowledged data may be lost`,
        at,
      );
    }
    const expected = this.#tail?.nextFrameSequence;
    const frameCount = expected === undefined ? undefined : header.frameSequence - expected;
    this.#lost.push({ ...at, frameCount });
    this.#tail = {
      journalId: header.journalId,
      file,
      position: resumed.position,
      nextFrameSequence: header.frameSequence,
    };
  }

  #checkGaps(gaps: readonly EntryGap[], place: Place): void {
    const first = gaps[0];
    if (!first || this.#options.acceptCorruption) return;
    const file = this.#tail?.file ?? this.#options.files[place.fileAt];
    throw new JournalCorruptError(`entry ${first.index} of group ${first.group} is missing`, {
      path: file?.file.path ?? "",
      position: this.#tail?.position ?? 0,
    });
  }

  /** Remains of a write that never finished, told from a clean end for the report alone. */
  async #tornTail({ fileAt, position }: Place): Promise<RecoveryReport["tornTail"]> {
    for (const [file, at] of [
      [this.#options.files[fileAt], position],
      [this.#options.files[fileAt + 1], 0],
    ] as const) {
      if (file && (await this.#reader.readHeader(file, at))) return { path: file.file.path, position: at };
    }
    return undefined;
  }
}
