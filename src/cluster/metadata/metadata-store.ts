import { strict as assert } from "node:assert";
import type { Entry } from "#raft/core/entry.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";
import type { GroupLeadership, StateMachine } from "#raft/host/state-machine.ts";
import { applyCommand, type CommandResult } from "./apply-command.ts";
import { fromSnapshot, toSnapshot } from "./image-snapshot.ts";
import {
  decodeCommand,
  encodeCommand,
  type MetadataCommand,
  type MetadataSnapshot,
  stampBytesMax,
  stampOf,
} from "./metadata-command.ts";
import { emptyImage, type MetadataImage } from "./metadata-image.ts";

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

/** Brings a command to the node that leads the metadata group. */
export type Forward = (payload: Uint8Array) => Promise<CommandResult>;

/** What a command came to that was proposed here. */
export type ProposalOutcome =
  | { readonly kind: "applied"; readonly index: number; readonly result: CommandResult }
  | { readonly kind: "indefinite" };

/** Told of each new image, in order, synchronously. */
export type ImageListener = (image: MetadataImage, previous: MetadataImage) => void;

interface WaitingCommand {
  readonly outcome: PromiseWithResolvers<ProposalOutcome>;
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
  #forward: Forward | undefined;
  #ledTerm = -1;
  /** By the commands' stamps: what was brought to somebody and is looked for among what is applied here. */
  readonly #watched = new Map<string, PromiseWithResolvers<CommandResult>>();
  /** Who waits for an entry to be applied here, in no order. */
  readonly #applyWaiters = new Set<{ readonly index: number; readonly resolve: () => void }>();

  get image(): MetadataImage {
    return this.#image;
  }

  /** Starts from a snapshot; entries that it includes are skipped. */
  restore(snapshot: MetadataSnapshot): void {
    this.#image = fromSnapshot(snapshot);
    this.#term = snapshot.term;
  }

  /** Replaces the state by a newer one of another replica. */
  install(snapshot: MetadataSnapshot): void {
    const previous = this.#image;
    if (snapshot.index <= previous.index) return;
    this.restore(snapshot);
    for (const listener of this.#listeners) listener(this.#image, previous);
    // Any of them may be among what the snapshot stands for.
    for (const { resolve } of this.#watched.values()) resolve({ kind: "indefinite" });
    this.#wakeApplied();
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

  /** Where commands go that are proposed while another node leads. */
  forwardTo(forward: Forward): void {
    this.#forward = forward;
  }

  onChange(listener: ImageListener): void {
    this.#listeners.push(listener);
  }

  /** So much waits, for a journal that is full or slow, that nothing more is taken. */
  get isOverloaded(): boolean {
    return this.#waitingBytes >= waitingBytesMax || this.#turnsWaiting >= turnsMax;
  }

  /**
   * Resolves when the command is committed and applied here, which on a full journal may be any time from now, with
   * "tooLarge" at once for one past 1 MiB and with "overloaded" for one too many; rejects when storage has failed, and
   * with NotMetadataLeaderError where another node leads and nothing brings the command there.
   */
  async propose(command: MetadataCommand): Promise<CommandResult> {
    if (this.#failure) throw this.#failure.error;
    const payload = encodeCommand(command);
    if (payload.length > this.#commandBytesMax - stampBytesMax)
      return { kind: "tooLarge", sizeBytes: payload.length };
    if (this.isOverloaded) return { kind: "overloaded" };
    if (this.#forward) return this.#forward(payload);
    const outcome = await this.proposeHere(payload);
    if (!outcome) throw new NotMetadataLeaderError();
    return outcome.kind === "applied" ? outcome.result : outcome;
  }

  /**
   * Proposes an encoded command; undefined where this node does not lead, or in another term than the command is for.
   * @throws what storage failed with
   */
  proposeHere(payload: Uint8Array): Promise<ProposalOutcome> | undefined {
    if (this.#failure) return Promise.reject(this.#failure.error);
    const group = this.#group;
    assert(group || this.#forward);
    const stamp = this.#forward ? stampOf(payload) : undefined;
    if (stamp && stamp.term !== group?.term) return undefined;
    const proposal = { kind: "command", baseOffset: 0, offsetCount: 0, payload } as const;
    const entry = group?.isSettledLeader ? group.propose(proposal) : undefined;
    if (!entry) return undefined;
    const outcome = Promise.withResolvers<ProposalOutcome>();
    const sizeBytes = payload.length + waitingOverheadBytes;
    this.#waiting.set(entry.index, { outcome, sizeBytes });
    this.#waitingBytes += sizeBytes;
    return outcome.promise;
  }

  /** What a stamped command comes to here, by whomever it is proposed; to be let go of by `forget`. */
  watch(proposal: string): Promise<CommandResult> {
    const outcome = Promise.withResolvers<CommandResult>();
    this.#watched.set(proposal, outcome);
    return outcome.promise;
  }

  forget(proposal: string): void {
    this.#watched.delete(proposal);
  }

  /** Resolves when the image includes the entry. */
  whenApplied(index: number): Promise<void> {
    if (this.#image.index >= index) return Promise.resolve();
    return new Promise((resolve) => this.#applyWaiters.add({ index, resolve }));
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
  leadership({ role, term }: GroupLeadership): void {
    if (role === "leader" && term === this.#ledTerm) return;
    this.#ledTerm = role === "leader" ? term : -1;
    for (const { outcome } of this.#waiting.values()) outcome.resolve({ kind: "indefinite" });
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
    if (entry.kind === "command") {
      const { image, result } = applyCommand(previous, decodeCommand(entry.payload));
      this.#image = { ...image, index: entry.index };
      for (const listener of this.#listeners) listener(this.#image, previous);
      this.#settle(entry.index, result);
      this.#tellWatcher(entry.payload, result);
    } else {
      this.#image = { ...previous, index: entry.index };
    }
    this.#wakeApplied();
  }

  #wakeApplied(): void {
    for (const waiter of [...this.#applyWaiters]) {
      if (waiter.index > this.#image.index) continue;
      this.#applyWaiters.delete(waiter);
      waiter.resolve();
    }
  }

  #tellWatcher(payload: Uint8Array, result: CommandResult): void {
    if (this.#watched.size === 0) return;
    const stamp = stampOf(payload);
    if (stamp) this.#watched.get(stamp.proposal)?.resolve(result);
  }

  #settle(index: number, result: CommandResult): void {
    const waiting = this.#waiting.get(index);
    if (!waiting) return;
    this.#waiting.delete(index);
    this.#waitingBytes -= waiting.sizeBytes;
    waiting.outcome.resolve({ kind: "applied", index, result });
  }
}
