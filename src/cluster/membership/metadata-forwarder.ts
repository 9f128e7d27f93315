import { type Clock, every } from "../../runtime/clock.ts";
import { within } from "../../runtime/time-limit.ts";
import type { CommandResult } from "../metadata/apply-command.ts";
import { stampCommand } from "../metadata/metadata-command.ts";
import type { ProposalOutcome } from "../metadata/metadata-store.ts";
import { decodeJson, encodeJson } from "../network/json-payload.ts";
import type { NodeCalls } from "../network/node-calls.ts";

/** What a node says of a command that another has brought to it; notLeader: not proposed, for it does not lead in that term. */
export type ForwardedAnswer = ProposalOutcome | { readonly kind: "notLeader" };

export interface MetadataForwarderOptions {
  readonly nodeId: number;
  /** Of this run of the process: what its commands are called by. */
  readonly processId: string;
  readonly calls: NodeCalls;
  readonly clock: Pick<Clock, "monotonicMs" | "schedule">;
  /** Who leads the metadata group, as far as this node knows; -1 where it does not. */
  readonly leaderNodeId: () => number;
  /** In which term. */
  readonly term: () => number;
  /** Resolves when all that was committed before the call is applied here; rejects where nobody leads. */
  readonly catchUp: () => Promise<unknown>;
  /** Proposes here; undefined where this node does not lead, or not in the term of the command's stamp. */
  readonly proposeHere: (payload: Uint8Array) => Promise<ProposalOutcome> | undefined;
  /** Resolves with what a stamped command came to once it is applied here, until it is forgotten. */
  readonly watch: (proposal: string) => Promise<CommandResult>;
  readonly forget: (proposal: string) => void;
  /** Resolves when the image here includes the entry. */
  readonly whenApplied: (index: number) => Promise<void>;
}

const callName = "metadata";

/** How long a command waits for somebody who leads, and for the answer of who does. */
const limitMs = 30_000;
/** Before a leader that was not one is asked again, or another one. */
const retryMs = 50;
/** How long a command whose answer was lost is looked for while the leader that got it goes on leading. */
const sameLeaderMs = 3_000;

/** A command on its way. */
interface Journey {
  readonly proposal: string;
  readonly payload: Uint8Array;
  readonly deadlineMs: number;
  /** What it came to, once it is applied here. */
  readonly applied: Promise<CommandResult>;
}

/**
 * Brings commands of the metadata group to whoever leads it, and takes those of the other nodes where this one does.
 *
 * A command that was brought to a leader and not answered is brought to the next one, and never applied twice: it names
 * the one term in which it may be proposed, and what a later leader does not find in its log of an earlier term is in
 * no log ever after. So it is brought again once all that a later leader began with is applied here, and it was not there.
 */
export class MetadataForwarder {
  readonly #options: MetadataForwarderOptions;
  #proposals = 0;
  /** End what is being waited for. */
  readonly #endings = new Set<() => void>();
  #isClosed = false;

  constructor(options: MetadataForwarderOptions) {
    this.#options = options;
    options.calls.answer(callName, async (_, payload) => {
      // The frame's buffer is not kept for as long as the command.
      const answer = (await options.proposeHere(new Uint8Array(payload))) ?? notLeader;
      return encodeJson(answer);
    });
  }

  /** Resolves when the command is applied here, or with why nobody knows that it will be. */
  async propose(payload: Uint8Array): Promise<CommandResult> {
    const { processId, clock, watch, forget } = this.#options;
    this.#proposals += 1;
    const proposal = `${processId}/${this.#proposals}`;
    const deadlineMs = clock.monotonicMs() + limitMs;
    try {
      return await this.#bring({ proposal, payload, deadlineMs, applied: watch(proposal) });
    } finally {
      forget(proposal);
    }
  }

  /** Tries nothing again. */
  close(): void {
    this.#isClosed = true;
    for (const end of this.#endings) end();
  }

  async #bring(journey: Journey): Promise<CommandResult> {
    const { term, whenApplied } = this.#options;
    while (!this.#isOver(journey)) {
      const inTerm = term();
      const answer = await this.#ask(journey, inTerm);
      if (answer.kind === "applied") {
        await whenApplied(answer.index);
        return answer.result;
      }
      if (answer.kind === "notLeader") {
        await this.#pause();
        continue;
      }
      const fate = await this.#fateOf(journey, inTerm);
      if (fate) return fate;
    }
    return { kind: "noController" };
  }

  #isOver({ deadlineMs }: Journey): boolean {
    return this.#isClosed || this.#options.clock.monotonicMs() >= deadlineMs;
  }

  /** What the leader of a term says of a command; indefinite as soon as the term is over: it may never say anything. */
  async #ask({ payload, proposal, deadlineMs }: Journey, inTerm: number): Promise<ForwardedAnswer> {
    const { clock, term } = this.#options;
    const over = Promise.withResolvers<ForwardedAnswer>();
    const look = () => (term() === inTerm ? undefined : over.resolve(indefinite));
    const stop = every(clock, retryMs, look, over.reject);
    try {
      const stamped = stampCommand(payload, { proposal, term: inTerm });
      const answer = this.#proposeOnce(stamped, deadlineMs - clock.monotonicMs());
      return await this.#unlessClosed(indefinite, Promise.race([over.promise, answer]));
    } finally {
      stop();
    }
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
        return decodeJson(outcome.payload) as ForwardedAnswer;
      case "unsent":
        return notLeader;
      case "failed":
      case "lost":
        return indefinite;
      default:
        return outcome satisfies never;
    }
  }

  /** What a command came to that was brought to the leader of a term; undefined where it never comes to anything. */
  async #fateOf(journey: Journey, inTerm: number): Promise<CommandResult | undefined> {
    const { clock, term, leaderNodeId } = this.#options;
    const sinceMs = clock.monotonicMs();
    let fate: CommandResult | undefined;
    void journey.applied.then((result) => {
      fate = result;
    });
    while (!this.#isOver(journey)) {
      if (term() > inTerm && (await this.#hasCaughtUp(journey))) return fate;
      const isSameLeader = term() === inTerm && leaderNodeId() >= 0;
      if (fate || (isSameLeader && clock.monotonicMs() - sinceMs >= sameLeaderMs)) break;
      await this.#pause();
    }
    return fate ?? { kind: "indefinite" };
  }

  /** Until it is worth another look, or there is none to be taken any more. */
  #pause(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => {
      cancel();
      this.#endings.delete(end);
      resolve();
    };
    const cancel = this.#options.clock.schedule(retryMs, end);
    this.#endings.add(end);
    return promise;
  }

  /** Whether all that is committed by now is applied here; not once the node stops. */
  async #hasCaughtUp({ deadlineMs }: Journey): Promise<boolean> {
    const { clock, catchUp } = this.#options;
    const caughtUp = catchUp().then(
      () => true,
      () => false,
    );
    const outcome = this.#unlessClosed(false, caughtUp);
    return (await within(clock, deadlineMs - clock.monotonicMs(), outcome)) === true;
  }

  /** The outcome, or `ended` as soon as the node stops. */
  async #unlessClosed<T>(ended: T, outcome: Promise<T>): Promise<T> {
    const over = Promise.withResolvers<T>();
    const end = (): void => over.resolve(ended);
    this.#endings.add(end);
    try {
      return await Promise.race([over.promise, outcome]);
    } finally {
      this.#endings.delete(end);
    }
  }
}

const notLeader: ForwardedAnswer = { kind: "notLeader" };
const indefinite: ForwardedAnswer = { kind: "indefinite" };
