import { strict as assert } from "node:assert";
import type { HardState } from "./entry.ts";
import type { Message } from "./messages.ts";
import type { WriteToken } from "./ready.ts";

/** A write that the host has and has not completed. */
interface Outstanding {
  readonly token: WriteToken;
  readonly startedTick: number;
  /** The last of its entries that no truncation took away since. */
  lastIndex: number;
  /** Promise what this write and those before it make durable. */
  messages: Message[];
}

/** What a completed write makes true. */
export interface Completed {
  /** The log is durable up to here, 0 for no news. */
  readonly lastIndex: number;
  /** May be sent now. */
  readonly messages: readonly Message[];
}

/**
 * Writes under way, in order, and the messages that wait for them.
 *
 * A write that completes after part of it was truncated makes only the rest durable: its place may already be
 * taken by entries of another term whose own write is still under way.
 */
export class DurableWrites {
  readonly #outstanding: Outstanding[] = [];
  #waiting: Message[] = [];
  #nextSequence = 1;

  /** Keeps a message back until all that is known now is durable. */
  promise(message: Message): void {
    const last = this.#waiting.at(-1);
    // A later acknowledgement says all that an earlier one says.
    if (last && isAcknowledgedBy(last, message)) this.#waiting.pop();
    this.#waiting.push(message);
  }

  /** Takes messages that wait for nothing, because nothing is to be written. */
  takeUnconditional(): readonly Message[] {
    if (this.#waiting.length === 0) return none;
    const messages = this.#waiting;
    this.#waiting = [];
    const last = this.#outstanding.at(-1);
    if (!last) return messages;
    for (const message of messages) last.messages.push(message);
    return none;
  }

  /** Whether messages wait that no write has been made for. */
  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Notes that a write was handed out that ends with the entry at `lastIndex`. */
  begin(write: {
    hardState: HardState;
    truncations: number;
    lastIndex: number;
    startedTick: number;
    /** Whether nothing that is known now is left to be written after it; true unless told. */
    isLast?: boolean;
  }): WriteToken {
    const { isLast = true } = write;
    const token = {
      sequence: this.#nextSequence,
      term: write.hardState.term,
      truncations: write.truncations,
    };
    this.#nextSequence += 1;
    this.#outstanding.push({
      token,
      startedTick: write.startedTick,
      lastIndex: write.lastIndex,
      messages: isLast ? this.#waiting : [],
    });
    if (isLast) this.#waiting = [];
    return token;
  }

  /** The oldest write is durable. */
  complete(token: WriteToken): Completed {
    const write = this.#outstanding.shift();
    assert(write && write.token.sequence === token.sequence);
    return write;
  }

  /**
   * Term and vote of a write are durable, though its entries, or those of writes before it, are not: takes the
   * messages that promise no more than that.
   */
  completeHardState({ sequence }: WriteToken): readonly Message[] {
    const released: Message[] = [];
    for (const { token, messages } of this.#outstanding) {
      if (token.sequence > sequence) break;
      for (let at = messages.length - 1; at >= 0; at--) {
        if (messages[at]?.kind === "voteAnswer") released.unshift(...messages.splice(at, 1));
      }
    }
    return released;
  }

  /** Entries from `index` on are not what these writes hold any more. */
  truncateFrom(index: number): void {
    for (const write of this.#outstanding) write.lastIndex = Math.min(write.lastIndex, index - 1);
  }

  /** Entries from `index` on are given up before they are durable: messages that promise them go to nobody. */
  discardFrom(index: number): void {
    this.truncateFrom(index);
    for (const write of this.#outstanding) write.messages = keptOf(write.messages, index);
    this.#waiting = keptOf(this.#waiting, index);
  }

  /** When the oldest write under way was handed out; undefined without one. */
  get oldestTick(): number | undefined {
    return this.#outstanding[0]?.startedTick;
  }
}

function isAcknowledgedBy(earlier: Message, later: Message): boolean {
  return (
    earlier.kind === "appendAccepted" &&
    later.kind === "appendAccepted" &&
    earlier.to === later.to &&
    earlier.term === later.term &&
    earlier.matchIndex <= later.matchIndex
  );
}

/** The messages that promise nothing of the entries from `index` on. */
function keptOf(messages: readonly Message[], index: number): Message[] {
  return messages.filter((message) => {
    if (message.kind === "appendAccepted") return message.matchIndex < index;
    return message.kind !== "vote" || message.lastIndex < index;
  });
}

const none: readonly Message[] = [];
