import { strict as assert } from "node:assert";
import type { Entry } from "#raft/core/entry.ts";
import { IndefiniteProposalError } from "#raft/host/pending-proposals.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";
import type { GroupLeadership, StateMachine } from "#raft/host/state-machine.ts";
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

/** Commands that may wait for the journal at a time, in bytes, and what each counts for besides its payload. */
const waitingBytesMax = 32 << 20;
const waitingOverheadBytes = 1 << 10;
/** Changes that may wait for their turn. */
const turnsMax = 10_000;

/** Another node leads the metadata group, or none: it has to be asked instead, or later. */
export class NotMetadataLeaderError extends Error {
  constructor() {
    super("Cannot change the metadata: this node does not lead its group");
    this.name = "NotMetadataLeaderError";
  }
}

/** Told of each new image, in order, synchronously. */
export type ImageListener = (image: MetadataImage, previous: MetadataImage) => void;

interface WaitingCommand {
  readonly outcome: PromiseWithResolvers<CommandResult>;
  readonly sizeBytes: number;
}

/** The metadata group's state machine: commands in, an immutable image out. */
export class MetadataStore implements StateMachine {
  #image: MetadataImage = emptyImage;
  #term = 0;
  #group: RaftGroup | undefined;
  #commandBytesMax = commandBytesMax;
  readonly #listeners: ImageListener[] = [];
  readonly #waiting = new Map<number, WaitingCommand>();
  #waitingBytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #turnsWaiting = 0;

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

  /** So much waits, for a journal that is full or slow, that nothing more is taken. */
  get isOverloaded(): boolean {
    return this.#waitingBytes >= waitingBytesMax || this.#turnsWaiting >= turnsMax;
  }

  /**
   * Resolves when the command is committed and applied, which on a full journal may be any time from now, with
   * "tooLarge" at once for one past 1 MiB and with "overloaded" for one too many; rejects when storage has failed.
   */
  propose(command: MetadataCommand): Promise<CommandResult> {
    if (this.#failure) return Promise.reject(this.#failure.error);
    const group = this.#group;
    assert(group);
    const payload = encodeCommand(command);
    if (payload.length > this.#commandBytesMax)
      return Promise.resolve({ kind: "tooLarge", sizeBytes: payload.length });
    if (this.isOverloaded) return Promise.resolve({ kind: "overloaded" });
    const entry = group.propose({ kind: "command", baseOffset: 0, offsetCount: 0, payload });
    if (!entry) return Promise.reject(new NotMetadataLeaderError());
    const outcome = Promise.withResolvers<CommandResult>();
    const sizeBytes = payload.length + waitingOverheadBytes;
    this.#waiting.set(entry.index, { outcome, sizeBytes });
    this.#waitingBytes += sizeBytes;
    return outcome.promise;
  }

  /** Runs changes that are worked out from the image one after the other, so that none overwrites another's. */
  inTurn<T>(change: () => Promise<T>): Promise<T> {
    this.#turnsWaiting += 1;
    const result = this.#turn.then(change).finally(() => {
      this.#turnsWaiting -= 1;
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Storage has failed: nobody learns what became of what is under way, and nothing more is taken. */
  abandon(error: unknown): void {
    this.#failure ??= { error };
    for (const { outcome } of this.#waiting.values()) outcome.reject(error);
    this.#waiting.clear();
  }

  /** What was proposed in an earlier term may be committed yet or be gone: nobody here learns which. */
  leadership({ isSettled }: GroupLeadership): void {
    if (isSettled) return;
    for (const { outcome } of this.#waiting.values()) {
      outcome.reject(new IndefiniteProposalError(metadataGroupId));
    }
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }

  wantsPayload({ index }: Pick<Entry, "index">): boolean {
    return index > this.#image.index;
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
    this.#settle(entry.index, result);
  }

  #settle(index: number, result: CommandResult): void {
    const waiting = this.#waiting.get(index);
    if (!waiting) return;
    this.#waiting.delete(index);
    this.#waitingBytes -= waiting.sizeBytes;
    waiting.outcome.resolve(result);
  }
}
