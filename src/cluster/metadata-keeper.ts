import type { RaftHost } from "#raft/host/raft-host.ts";
import type { StoredGroup } from "../runtime/journal-log-store.ts";
import type { MetadataFile } from "./metadata-file.ts";
import { type MetadataStore, metadataGroupId } from "./metadata-store.ts";

export interface MetadataKeeperOptions {
  readonly store: MetadataStore;
  readonly file: MetadataFile;
  readonly host: RaftHost;
  /** Largest payload of an entry. */
  readonly payloadBytesMax: number;
  /** What the journal kept of the metadata group; undefined where it knows nothing of it. */
  readonly stored: StoredGroup | undefined;
}

/** Entries after which the state is saved, so that the journal may let go of them. */
const entriesPerSave = 1_000;

/** Brings the metadata back at start, and saves it from time to time so that the journal need not keep it all. */
export class MetadataKeeper {
  readonly #options: MetadataKeeperOptions;
  #savedIndex = 0;
  #saving: Promise<void> | undefined;

  constructor(options: MetadataKeeperOptions) {
    this.#options = options;
  }

  /** Whether enough has changed since the last save. */
  get isSaveDue(): boolean {
    return !this.#saving && this.#options.store.image.index - this.#savedIndex >= entriesPerSave;
  }

  /** The state as the snapshot and the journal have it; this node leads the group from here on. @throws SnapshotCorruptError, DiskError */
  async recover(): Promise<void> {
    const { store, file, host, payloadBytesMax, stored } = this.#options;
    const snapshot = await file.load();
    if (snapshot) store.restore(snapshot);
    this.#savedIndex = snapshot?.index ?? 0;
    const { index = 0, term = 0 } = snapshot ?? {};
    const group = await host.start({
      floor: { index, term },
      ...stored,
      id: metadataGroupId,
      stateMachine: store,
      hardState: {
        term: Math.max(stored?.hardState.term ?? 0, term),
        votedFor: stored?.hardState.votedFor ?? -1,
      },
    });
    store.lead(group, { commandBytesMax: payloadBytesMax });
    await host.settled(group);
  }

  /** Saves run one after the other: they share a file, and an older state must not replace a newer one. @throws DiskError */
  save(): Promise<void> {
    const before = this.#saving ?? Promise.resolve();
    const saving = before
      .catch(() => undefined)
      .then(() => this.#save())
      .finally(() => {
        if (this.#saving === saving) this.#saving = undefined;
      });
    this.#saving = saving;
    return saving;
  }

  async #save(): Promise<void> {
    const { store, file, host } = this.#options;
    const snapshot = store.snapshot();
    if (snapshot.index === this.#savedIndex) return;
    await file.save(snapshot);
    this.#savedIndex = snapshot.index;
    host.releaseThroughIndex(metadataGroupId, snapshot.index);
  }
}
