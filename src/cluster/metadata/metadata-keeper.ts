import { type Configuration, votersOnly } from "#raft/core/configuration.ts";
import type { RaftHost } from "#raft/host/raft-host.ts";
import type { StoredGroup } from "../../runtime/journal-log-store.ts";
import type { MetadataSnapshot } from "./metadata-command.ts";
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

  /**
   * The state as the snapshot and the journal have it. A node that is alone leads the group from here on. `voters` are
   * those who vote from the beginning, empty for a node without a vote, which learns them from the group.
   * @throws SnapshotCorruptError, DiskError
   */
  async recover(voters: readonly number[]): Promise<void> {
    const { store, file, host, payloadBytesMax, stored } = this.#options;
    const snapshot = await file.load();
    if (snapshot) store.restore(snapshot);
    this.#savedIndex = snapshot?.index ?? 0;
    const { index = 0, term = 0 } = snapshot ?? {};
    const configuration: Configuration = stored?.configuration ?? votersOnly(voters);
    const group = await host.start({
      floor: { index, term },
      ...stored,
      configuration,
      id: metadataGroupId,
      stateMachine: store,
      hardState: {
        term: Math.max(stored?.hardState.term ?? 0, term),
        votedFor: stored?.hardState.votedFor ?? -1,
      },
    });
    store.lead(group, { commandBytesMax: payloadBytesMax });
    if (group.isAlone) await host.settled(group);
  }

  /** Takes another replica's state, durably; entries that it includes are skipped when they come. @throws DiskError */
  async install(snapshot: MetadataSnapshot): Promise<void> {
    await this.#inTurn(async () => {
      await this.#options.file.save(snapshot);
      this.#savedIndex = snapshot.index;
    });
    this.#options.store.install(snapshot);
  }

  /** Saves run one after the other: they share a file, and an older state must not replace a newer one. @throws DiskError */
  save(): Promise<void> {
    return this.#inTurn(() => this.#save());
  }

  #inTurn(save: () => Promise<void>): Promise<void> {
    const before = this.#saving ?? Promise.resolve();
    const saving = before
      .catch(() => undefined)
      .then(save)
      .finally(() => {
        if (this.#saving === saving) this.#saving = undefined;
      });
    this.#saving = saving;
    return saving;
  }

  async #save(): Promise<void> {
    const { store, file, host } = this.#options;
    const snapshot = store.snapshot();
    // An installed state may be ahead of what was applied here until now.
    if (snapshot.index <= this.#savedIndex) return;
    await file.save(snapshot);
    this.#savedIndex = snapshot.index;
    host.releaseThroughIndex(metadataGroupId, snapshot.index);
  }
}
