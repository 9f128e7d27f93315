import { DiskError } from "../io/file.ts";
import type { FileRing } from "./file-ring.ts";
import type { JournalFile } from "./journal-file.ts";
import type { JournalIndex } from "./journal-index.ts";
import { floorRecordBytes, type RecordCursor, recordBytes, writeFloor, writeHardState } from "./record.ts";
import type { JournalTail } from "./replay.ts";
import type { StagedFrame, Staging } from "./staging.ts";

/** Sees an entry's record, valid during the call, and where its frame lies: positions in the record count from there. */
export type DurableListener = (record: RecordCursor, fileSequence: number, framePosition: number) => void;

/** Where in a file the next frame goes. */
interface Place {
  readonly file: JournalFile;
  position: number;
}

/**
 * The end of the journal: writes frames one behind the other, and goes on to the next file where one does not fit.
 *
 * Each file begins with a state frame, from which on older files are needed for their entries alone.
 */
export class FrameWriter {
  readonly #ring: FileRing;
  readonly #staging: Staging;
  readonly #index: JournalIndex;
  #journalId = 0;
  #nextFrameSequence = 1;
  /** Undefined before the first file is begun. */
  #current: Place | undefined;
  #writtenFrames = 0;
  #writtenBytes = 0;
  #onDurable: DurableListener | undefined;

  /** Takes into `index` what is durable; `staging` gives memory for state frames. */
  constructor({ ring, staging, index }: { ring: FileRing; staging: Staging; index: JournalIndex }) {
    this.#ring = ring;
    this.#staging = staging;
    this.#index = index;
  }

  /** Bytes on disk from the oldest file still needed to the last frame. */
  get usedBytes(): number {
    let sum = this.#current?.position ?? 0;
    for (const file of this.#ring.live) if (file !== this.#current?.file) sum += file.sizeBytes;
    return sum;
  }

  /** Bytes behind the last frame in its file. */
  get remainingBytes(): number {
    return this.#current ? this.#current.file.sizeBytes - this.#current.position : 0;
  }

  /** Frames made durable since the opening, and their bytes on disk. */
  get written(): { readonly frames: number; readonly sizeBytes: number } {
    return { frames: this.#writtenFrames, sizeBytes: this.#writtenBytes };
  }

  /** Tells of each entry once it is durable, in order. */
  onDurable(listener: DurableListener): void {
    this.#onDurable = listener;
  }

  /** Names a new journal. */
  begin(journalId: number): void {
    this.#journalId = journalId;
  }

  /** Goes on behind the last frame of an earlier run. @throws DiskError */
  async resume({ journalId, nextFrameSequence, file, position }: JournalTail): Promise<void> {
    this.#journalId = journalId;
    this.#nextFrameSequence = nextFrameSequence;
    this.#current = { file, position };
    // The last frame was read, but where the page cache lies between perhaps not from the disk; resizing syncs it.
    await file.file.resize(file.sizeBytes);
  }

  /** Writes a frame and, once it is durable, takes its records in. One at a time. @throws DiskError */
  async write(frame: StagedFrame): Promise<void> {
    let place = this.#current;
    if (!place || place.position + frame.sizeBytes > place.file.sizeBytes)
      place = await this.#beginFile(frame);
    await this.#writeAt(place, frame, { isState: false });
  }

  /** Switches to the next file, whose first frame tells all that older files say of terms, votes and floors. */
  async #beginFile(first: StagedFrame): Promise<Place> {
    const file = await this.#ring.takeNext();
    const place = { file, position: 0 };
    const state = this.#makeStateFrame();
    try {
      if (state.sizeBytes + first.sizeBytes > file.sizeBytes) {
        throw new DiskError(
          "full",
          `Cannot begin "${file.file.path}": too many groups for a file of its size`,
        );
      }
      await this.#writeAt(place, state, { isState: true });
    } finally {
      this.#staging.release(state);
    }
    this.#ring.use(file);
    this.#current = place;
    void this.#ring.tend(); // Failures arrive through its `onFailure`.
    return place;
  }

  async #writeAt(place: Place, frame: StagedFrame, { isState }: { isState: boolean }): Promise<void> {
    const { file, position } = place;
    const identity = {
      journalId: this.#journalId,
      fileSequence: file.sequence,
      frameSequence: this.#nextFrameSequence,
      isState,
    };
    await file.file.write(position, frame.seal(identity));
    place.position = position + frame.sizeBytes;
    this.#nextFrameSequence++;
    this.#writtenFrames += 1;
    this.#writtenBytes += frame.sizeBytes;
    const records = frame.records();
    while (records.next()) {
      this.#index.apply(records, this.#ring.live);
      if (records.kind === "entry") this.#onDurable?.(records, file.sequence, position);
    }
  }

  #makeStateFrame(): StagedFrame {
    const frame = this.#staging.makeFrame(this.#index.stateRecordBytes);
    for (const [group, { hardState, floor }] of this.#index.groups) {
      if (hardState) writeHardState(frame.memory, frame.extend(recordBytes.hardState), group, hardState);
      if (floor) writeFloor(frame.memory, frame.extend(floorRecordBytes(floor)), group, floor);
    }
    return frame;
  }
}
