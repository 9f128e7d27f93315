import { strict as assert } from "node:assert";
import type { Entry } from "#raft/host/entry.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";
import type { StateMachine } from "#raft/host/state-machine.ts";
import {
  decodeCommand,
  encodeCommand,
  type MetadataCommand,
  type MetadataSnapshot,
} from "./metadata-command.ts";
import {
  applyCommand,
  type CommandResult,
  emptyImage,
  fromSnapshot,
  type MetadataImage,
  toSnapshot,
} from "./metadata-image.ts";

/** The metadata group, which every node has. */
export const metadataGroupId = 0;

/** A command stays in memory for good and is copied with every snapshot: configs of megabytes are nobody's need. */
const commandBytesMax = 1 << 20;

/** Told of each new image, in order, synchronously. */
export type ImageListener = (image: MetadataImage, previous: MetadataImage) => void;

/** The metadata group's state machine: commands in, an immutable image out. */
export class MetadataStore implements StateMachine {
  #image: MetadataImage = emptyImage;
  #term = 0;
  #group: RaftGroup | undefined;
  readonly #listeners: ImageListener[] = [];
  readonly #waiting = new Map<number, (result: CommandResult) => void>();

  get image(): MetadataImage {
    return this.#image;
  }

  /** Starts from a snapshot; entries that it includes are skipped. */
  restore(snapshot: MetadataSnapshot): void {
    this.#image = fromSnapshot(snapshot);
    this.#term = snapshot.term;
  }

  /** The state up to the last applied entry. */
  snapshot(): MetadataSnapshot {
    return toSnapshot(this.#image, this.#term);
  }

  lead(group: RaftGroup): void {
    this.#group = group;
  }

  onChange(listener: ImageListener): void {
    this.#listeners.push(listener);
  }

  /** Resolves when the command is committed and applied; "tooLarge" at once for one past 1 MiB. */
  propose(command: MetadataCommand): Promise<CommandResult> {
    const group = this.#group;
    assert(group);
    const payload = encodeCommand(command);
    if (payload.length > commandBytesMax)
      return Promise.resolve({ kind: "tooLarge", sizeBytes: payload.length });
    const entry = group.propose({ kind: "command", baseOffset: 0, offsetCount: 0, payload });
    return new Promise((resolve) => this.#waiting.set(entry.index, resolve));
  }

  apply(entry: Entry): void {
    if (entry.index <= this.#image.index) return;
    this.#term = entry.term;
    const previous = this.#image;
    if (entry.kind !== "command") {
      this.#image = { ...previous, index: entry.index };
      return;
    }
    const { image, result } = applyCommand(previous, decodeCommand(entry.payload));
    this.#image = { ...image, index: entry.index };
    for (const listener of this.#listeners) listener(this.#image, previous);
    this.#waiting.get(entry.index)?.(result);
    this.#waiting.delete(entry.index);
  }
}
