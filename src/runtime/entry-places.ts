import type { PayloadLocation, RecoveredEntry } from "#storage/journal/entry.ts";
import type { RecordCursor } from "#storage/journal/record.ts";

type EntryKind = RecoveredEntry["kind"];

/** An entry without its payload, and where that lies; `checksum` is -1 where nobody has taken it. */
export interface PlacedEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: EntryKind;
  readonly baseOffset: number;
  readonly offsetCount: number;
  readonly location: PayloadLocation;
}

const kinds: readonly EntryKind[] = ["data", "command", "noop", "configuration"];

/** Numbers of one entry: file, position, payload bytes, checksum, term, base offset, offset count and kind. */
const stride = 7;
const entriesMin = 8;

/**
 * Where the entries of one group lie in the journal: a dense stretch in one array of numbers, because a node has
 * hundreds of thousands of them and objects for each would be work for the garbage collector.
 */
export class EntryPlaces {
  #columns = new Float64Array(entriesMin * stride);
  #firstIndex = 1;
  /** The first entry's place among the columns. */
  #head = 0;
  #count = 0;

  /** One behind the last entry. */
  get endIndex(): number {
    return this.#firstIndex + this.#count;
  }

  /** Notes an entry that was found at start. */
  restore({ location, ...entry }: RecoveredEntry): void {
    const { fileSequence, position, sizeBytes, checksum } = location;
    this.#put(entry.index, [
      ...[fileSequence, position, sizeBytes, checksum, entry.term, entry.baseOffset],
      entry.offsetCount * kinds.length + kinds.indexOf(entry.kind),
    ]);
  }

  /** Notes an entry that is durable now, in the place of any that was there and behind it. */
  note(record: RecordCursor, fileSequence: number, framePosition: number): void {
    const at = this.#room(record.index);
    const columns = this.#columns;
    columns[at] = fileSequence;
    columns[at + 1] = framePosition + record.payloadPosition;
    columns[at + 2] = record.payloadBytes;
    columns[at + 3] = -1;
    columns[at + 4] = record.term;
    columns[at + 5] = record.baseOffset;
    columns[at + 6] = record.offsetCount * kinds.length + kinds.indexOf(record.entryKind);
  }

  at(index: number): PlacedEntry | undefined {
    if (index < this.#firstIndex || index >= this.endIndex) return undefined;
    const at = (this.#head + index - this.#firstIndex) * stride;
    const [
      fileSequence = 0,
      position = 0,
      sizeBytes = 0,
      checksum = 0,
      term = 0,
      baseOffset = 0,
      packed = 0,
    ] = this.#columns.subarray(at, at + stride);
    return {
      index,
      term,
      kind: kinds[packed % kinds.length] ?? "noop",
      baseOffset,
      offsetCount: Math.floor(packed / kinds.length),
      location: { fileSequence, position, sizeBytes, checksum },
    };
  }

  /** Entries up to `index` are asked for no more. */
  releaseThrough(index: number): void {
    const count = Math.max(0, index + 1 - this.#firstIndex);
    this.#firstIndex += count;
    this.#head += Math.min(count, this.#count);
    this.#count -= Math.min(count, this.#count);
    if (this.#count === 0) this.#head = 0;
  }

  #put(index: number, numbers: readonly number[]): void {
    // Room first: it may come with other columns.
    const at = this.#room(index);
    this.#columns.set(numbers, at);
  }

  /** Makes room for an entry behind the one before it; answers where its numbers go. */
  #room(index: number): number {
    if (index > this.endIndex || index < this.#firstIndex) {
      // The stretch begins anew: what lies before is below a floor, or was never seen here.
      this.#firstIndex = index;
      this.#head = 0;
      this.#count = 0;
    }
    this.#count = index + 1 - this.#firstIndex;
    const end = (this.#head + this.#count) * stride;
    if (end > this.#columns.length) this.#grow();
    return (this.#head + this.#count - 1) * stride;
  }

  #grow(): void {
    const start = this.#head * stride;
    const used = this.#columns.subarray(start, start + (this.#count - 1) * stride);
    // Room that released entries have left is used again before more is taken.
    const isHalfEmpty = this.#head >= this.#count;
    const columns = isHalfEmpty ? this.#columns : new Float64Array(this.#columns.length * 2);
    columns.set(used);
    this.#columns = columns;
    this.#head = 0;
  }
}
