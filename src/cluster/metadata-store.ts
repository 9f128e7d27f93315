import { strict as assert } from "node:assert";
import type { Entry } from "#raft/core/entry.ts";
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
  #commandBytesMax = commandBytesMax;
  readonly #listeners: ImageListener[] = [];
  readonly #waiting = new Map<number, PromiseWithResolvers<CommandResult>>();
  #failure: { readonly error: unknown } | undefined;
  #turn: Promise<unknown> = Promise.resolve();

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

  /** Takes commands from here on, none larger than the group's log takes as one entry. */
  lead(group: RaftGroup, limits: { commandBytesMax: number }): void {
    this.#group = group;
    this.#commandBytesMax = Math.min(commandBytesMax, limits.commandBytesMax);
  }

  onChange(listener: ImageListener): void {
    this.#listeners.push(listener);
  }

  /**
   * Resolves when the command is committed and applied, with "tooLarge" at once for one past 1 MiB; rejects when
   * storage has failed.
   */
  propose(command: MetadataCommand): Promise<CommandResult> {
    if (this.#failure) return Promise.reject(this.#failure.error);
    const group = this.#group;
    assert(group);
    const payload = encodeCommand(command);
    if (payload.length > this.#commandBytesMax)
      return Promise.resolve({ kind: "tooLarge", sizeBytes: payload.length });
    const entry = group.propose({ kind: "command", baseOffset: 0, offsetCount: 0, payload });
    const outcome = Promise.withResolvers<CommandResult>();
    this.#waiting.set(entry.index, outcome);
    return outcome.promise;
  }

  /** Runs changes that are worked out from the image one after the other, so that none overwrites another's. */
  inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Storage has failed: nobody learns what became of what is under way, and nothing more is taken. */
  abandon(error: unknown): void {
    this.#failure ??= { error };
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
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
    this.#waiting.get(entry.index)?.resolve(result);
    this.#waiting.delete(entry.index);
  }
}
