import type { Clock } from "../runtime/clock.ts";
import type { CommandResult } from "./metadata-image.ts";
import type { ProposalOutcome } from "./metadata-store.ts";
import type { NodeCalls } from "./node-calls.ts";

/** What a node says of a command that another has brought to it; notLeader: not proposed, for it does not lead. */
export type ForwardedAnswer = ProposalOutcome | { readonly kind: "notLeader" };

export interface MetadataForwarderOptions {
  readonly nodeId: number;
  readonly calls: NodeCalls;
  readonly clock: Pick<Clock, "monotonicMs" | "schedule">;
  /** Who leads the metadata group, as far as this node knows; -1 where it does not. */
  readonly leaderNodeId: () => number;
  /** Proposes here; undefined where this node does not lead. */
  readonly proposeHere: (payload: Uint8Array) => Promise<ProposalOutcome> | undefined;
  /** Resolves when the image here includes the entry. */
  readonly whenApplied: (index: number) => Promise<void>;
}

const callName = "metadata";

/** How long a command waits for somebody who leads, and for the answer of who does. */
const limitMs = 30_000;
/** Before a leader that was not one is asked again, or another one. */
const retryMs = 50;

/** Brings commands of the metadata group to whoever leads it, and takes those of the other nodes where this one does. */
export class MetadataForwarder {
  readonly #options: MetadataForwarderOptions;
  #isClosed = false;

  constructor(options: MetadataForwarderOptions) {
    this.#options = options;
    options.calls.answer(callName, async (_, payload) => {
      // The frame's buffer is not kept for as long as the command.
      const answer = (await options.proposeHere(new Uint8Array(payload))) ?? notLeader;
      return new TextEncoder().encode(JSON.stringify(answer));
    });
  }

  /** Resolves when the command is applied here, or with why nobody knows that it will be. */
  async propose(payload: Uint8Array): Promise<CommandResult> {
    const { clock } = this.#options;
    const deadlineMs = clock.monotonicMs() + limitMs;
    while (!this.#isClosed) {
      const leftMs = deadlineMs - clock.monotonicMs();
      if (leftMs <= 0) break;
      const answer = await this.#proposeOnce(payload, leftMs);
      if (answer.kind === "indefinite") return { kind: "indefinite" };
      if (answer.kind === "applied") {
        await this.#options.whenApplied(answer.index);
        return answer.result;
      }
      await new Promise<void>((resolve) => clock.schedule(retryMs, resolve));
    }
    return { kind: "noController" };
  }

  /** Tries nothing again. */
  close(): void {
    this.#isClosed = true;
  }

  async #proposeOnce(payload: Uint8Array, leftMs: number): Promise<ForwardedAnswer> {
    const { nodeId, calls, leaderNodeId, proposeHere } = this.#options;
    const here = proposeHere(payload);
    if (here) return here;
    const leader = leaderNodeId();
    if (leader < 0 || leader === nodeId) return notLeader;
    const outcome = await calls.call(leader, callName, payload, leftMs);
    switch (outcome.kind) {
      case "answered":
        return JSON.parse(new TextDecoder().decode(outcome.payload)) as ForwardedAnswer;
      case "unsent":
        return notLeader;
      case "failed":
      case "lost":
        return { kind: "indefinite" };
      default:
        return outcome satisfies never;
    }
  }
}

const notLeader: ForwardedAnswer = { kind: "notLeader" };
