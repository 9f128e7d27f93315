import {
  type Checksum,
  readSnapshot,
  type SmallFileDisk,
  writeSnapshot,
} from "#storage/snapshots/small-file.ts";
import { decodeSnapshot, encodeSnapshot, type MetadataSnapshot } from "./metadata-command.ts";

const version = 1;

/** The metadata state on disk: what lets its entries leave the journal. */
export class MetadataFile {
  readonly #disk: SmallFileDisk & { readonly checksum: Checksum };
  readonly #path: string;

  constructor(disk: SmallFileDisk & { readonly checksum: Checksum }, directory: string) {
    this.#disk = disk;
    this.#path = `${directory}/metadata.snapshot`;
  }

  /** Undefined where none was saved yet. @throws SnapshotCorruptError, DiskError */
  async load(): Promise<MetadataSnapshot | undefined> {
    const stored = await readSnapshot(this.#disk, this.#path);
    return stored && decodeSnapshot(stored.payload);
  }

  /** @throws DiskError */
  async save(snapshot: MetadataSnapshot): Promise<void> {
    await writeSnapshot(this.#disk, this.#path, { version, payload: encodeSnapshot(snapshot) });
  }
}
