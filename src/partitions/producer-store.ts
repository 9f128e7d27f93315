import type { Checksum } from "#storage/snapshots/small-file.ts";
import {
  readSnapshot,
  type SmallFileDisk,
  SnapshotCorruptError,
  writeSnapshot,
} from "#storage/snapshots/small-file.ts";
import type { Partition } from "./partition.ts";
import {
  decodeProducerSnapshot,
  encodeProducerSnapshot,
  type ProducerSnapshot,
} from "./producer-snapshot.ts";

const fileName = "producers.snapshot";
const version = 1;

/** Bytes of batches after which a partition's producers are saved: what a start reads to learn them again. */
const saveEveryBytes = 32 << 20;

/** Keeps what a partition knows of its producers across restarts: a snapshot, and the batches behind it. */
export class ProducerStore {
  readonly #disk: SmallFileDisk & { readonly checksum: Checksum };
  readonly #acceptCorruption: boolean;
  readonly #saved = new WeakMap<Partition, { offset: number; sizeBytes: number }>();
  /** The last save of a partition that was asked for: they run one after the other, for they share a file. */
  readonly #saving = new WeakMap<Partition, Promise<unknown>>();

  /** Under `acceptCorruption` a damaged snapshot counts as none: the log tells what it still knows of producers. */
  constructor(
    disk: SmallFileDisk & { readonly checksum: Checksum },
    { acceptCorruption }: { acceptCorruption: boolean },
  ) {
    this.#disk = disk;
    this.#acceptCorruption = acceptCorruption;
  }

  /** Fills a partition's producer table from the snapshot and the log. @throws SnapshotCorruptError, LogCorruptError, DiskError */
  async load(partition: Partition): Promise<void> {
    const { log, producers } = partition;
    const snapshot = await this.#read(partition);
    // A log that was cut back behind the snapshot has lost what the snapshot says.
    const isUsable = snapshot !== undefined && snapshot.offset <= log.nextOffset;
    if (isUsable) producers.restore(snapshot.producers);
    const from = Math.max(log.startOffset, isUsable ? snapshot.offset : log.startOffset);
    if (from < log.nextOffset) {
      await log.scan(from, (batch, header) => {
        if (header.nextOffset > from) partition.restoreProducerOf(batch);
      });
    }
    this.#saved.set(partition, { offset: isUsable ? snapshot.offset : -1, sizeBytes: log.sizeBytes });
  }

  async #read(partition: Partition): Promise<ProducerSnapshot | undefined> {
    try {
      const stored = await readSnapshot(this.#disk, pathOf(partition));
      return stored && decodeProducerSnapshot(stored.payload);
    } catch (error) {
      if (this.#acceptCorruption && error instanceof SnapshotCorruptError) return undefined;
      throw error;
    }
  }

  /** Saves a partition's producers when enough was flushed since the last time. @throws DiskError */
  async saveIfDue(partition: Partition): Promise<void> {
    const saved = this.#saved.get(partition);
    // A log that has shrunk was cut by retention, and has grown since by an amount that nobody knows.
    if (saved && Math.abs(partition.log.sizeBytes - saved.sizeBytes) < saveEveryBytes) return;
    await this.save(partition);
  }

  /**
   * Saves a partition's producers as of what its segments hold. To be called before batches are removed, too: what
   * they say of their producers cannot be read again. Answers up to where they may be: others may be flushed meanwhile.
   * @throws DiskError
   */
  save(partition: Partition): Promise<number> {
    return this.#inTurn(partition, () => this.#save(partition));
  }

  /**
   * Takes over what another replica knows, for a log that `restartLog` lets begin anew at the snapshot's offset. The
   * snapshot comes first: one ahead of its log is not used, so that a crash in between leaves the log as it was.
   * @throws DiskError, and what `restartLog` throws
   */
  replace(partition: Partition, snapshot: ProducerSnapshot, restartLog: () => Promise<void>): Promise<void> {
    return this.#inTurn(partition, async () => {
      await this.#write(partition, snapshot);
      // Whatever happens next, the file is not what it was.
      this.#saved.delete(partition);
      await restartLog();
      partition.producers.replaceBy(snapshot.producers);
      this.#saved.set(partition, { offset: snapshot.offset, sizeBytes: 0 });
    });
  }

  #inTurn<T>(partition: Partition, work: () => Promise<T>): Promise<T> {
    const before = this.#saving.get(partition) ?? Promise.resolve();
    const saving = before.catch(() => undefined).then(work);
    this.#saving.set(partition, saving);
    return saving;
  }

  async #save(partition: Partition): Promise<number> {
    const offset = partition.log.flushedOffset;
    if (this.#saved.get(partition)?.offset === offset) return offset;
    // What is not in the segments yet may be lost with a crash, and must then not count as received.
    const producers = partition.producers.entriesUpTo(offset);
    const { sizeBytes } = partition.log;
    await this.#write(partition, { offset, producers });
    this.#saved.set(partition, { offset, sizeBytes });
    return offset;
  }

  async #write(partition: Partition, snapshot: ProducerSnapshot): Promise<void> {
    const payload = encodeProducerSnapshot(snapshot);
    await writeSnapshot(this.#disk, pathOf(partition), { version, payload });
  }
}

function pathOf({ log }: Partition): string {
  return `${log.directory}/${fileName}`;
}
