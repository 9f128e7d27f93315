import { strict as assert } from "node:assert";
import type { ChunkFrame } from "#raft/transport/node-frame.ts";
import type { CancelTimer, Clock } from "../../runtime/clock.ts";

/** Answers a call of another node. A rejection is an answer, too: that the call failed. */
export type CallHandler = (from: number, payload: Uint8Array) => Promise<Uint8Array>;
/** Takes what another node tells and wants no answer to. */
export type NewsHandler = (from: number, payload: Uint8Array) => void;

/**
 * What became of a call. unsent: it never left this node · failed: the other node could not do it, and says so ·
 * lost: the answer did not come, and whether the call was heeded is not known.
 */
export type CallOutcome =
  | { readonly kind: "answered"; readonly payload: Uint8Array }
  | { readonly kind: "unsent" | "failed" | "lost" };

export interface NodeCallsOptions {
  /** Hands a frame to the connection with a node; false where it cannot be sent now. */
  readonly send: (nodeId: number, frame: ChunkFrame) => boolean;
  readonly clock: Pick<Clock, "schedule">;
  /** A call's handler failed in a way that it did not foresee. */
  readonly onError: (error: unknown) => void;
}

interface OpenCall {
  readonly nodeId: number;
  readonly resolve: (outcome: CallOutcome) => void;
  readonly cancelTimer: CancelTimer;
}

/** Calls to all nodes that may wait for their answers at a time. */
const openCallsMax = 10_000;

const labels = { call: "call:", answer: "answer:", failure: "failure:", news: "news:" } as const;

/** Calls and news between the brokers of a cluster, over the chunks of their connections. */
export class NodeCalls {
  readonly #options: NodeCallsOptions;
  readonly #callHandlers = new Map<string, CallHandler>();
  readonly #newsHandlers = new Map<string, NewsHandler>();
  readonly #open = new Map<number, OpenCall>();
  #lastStream = 0;

  constructor(options: NodeCallsOptions) {
    this.#options = options;
  }

  /** Answers all calls of a name; once. */
  answer(name: string, handler: CallHandler): void {
    assert(!this.#callHandlers.has(name));
    this.#callHandlers.set(name, handler);
  }

  /** Takes all news of a name; once. */
  hear(name: string, handler: NewsHandler): void {
    assert(!this.#newsHandlers.has(name));
    this.#newsHandlers.set(name, handler);
  }

  /** Calls another node and waits for its answer for `limitMs` at most. Never rejects. */
  call(nodeId: number, name: string, payload: Uint8Array, limitMs: number): Promise<CallOutcome> {
    if (this.#open.size >= openCallsMax) return Promise.resolve({ kind: "unsent" });
    this.#lastStream += 1;
    const stream = this.#lastStream;
    if (!this.#send(nodeId, { stream, label: labels.call + name, payload })) {
      return Promise.resolve({ kind: "unsent" });
    }
    return new Promise((resolve) => {
      const cancelTimer = this.#options.clock.schedule(limitMs, () =>
        this.#settle(stream, nodeId, { kind: "lost" }),
      );
      this.#open.set(stream, { nodeId, resolve, cancelTimer });
    });
  }

  /** Tells another node something; false where it could not be sent now. */
  tell(nodeId: number, name: string, payload: Uint8Array): boolean {
    return this.#send(nodeId, { stream: 0, label: labels.news + name, payload });
  }

  /** Takes a chunk that came from another node; false where it belongs to somebody else. */
  take(from: number, { stream, label, payload }: ChunkFrame): boolean {
    const at = label.indexOf(":") + 1;
    const name = label.slice(at);
    switch (label.slice(0, at)) {
      case labels.call:
        void this.#answer(from, { stream, name, payload });
        return true;
      case labels.answer:
        this.#settle(stream, from, { kind: "answered", payload });
        return true;
      case labels.failure:
        this.#settle(stream, from, { kind: "failed" });
        return true;
      case labels.news:
        this.#newsHandlers.get(name)?.(from, payload);
        return true;
      default:
        return false;
    }
  }

  /** The connection with a node is gone, and with it the answers that were to come over it. */
  lost(nodeId: number): void {
    for (const [stream, call] of [...this.#open]) {
      if (call.nodeId === nodeId) this.#settle(stream, nodeId, { kind: "lost" });
    }
  }

  /** Waits for no answer any more. */
  close(): void {
    for (const [stream, { nodeId }] of [...this.#open]) this.#settle(stream, nodeId, { kind: "lost" });
  }

  async #answer(
    from: number,
    { stream, name, payload }: { stream: number; name: string; payload: Uint8Array },
  ): Promise<void> {
    const handler = this.#callHandlers.get(name);
    try {
      // A newer node may call for what this one does not know.
      if (!handler) this.#send(from, { stream, label: labels.failure + name, payload: noBytes });
      else {
        const answer = await handler(from, payload);
        this.#send(from, { stream, label: labels.answer + name, payload: answer });
      }
    } catch (error) {
      this.#options.onError(error);
      this.#send(from, { stream, label: labels.failure + name, payload: noBytes });
    }
  }

  #settle(stream: number, from: number, outcome: CallOutcome): void {
    const call = this.#open.get(stream);
    if (call?.nodeId !== from) return;
    this.#open.delete(stream);
    call.cancelTimer();
    call.resolve(outcome);
  }

  #send(nodeId: number, content: Pick<ChunkFrame, "stream" | "label" | "payload">): boolean {
    return this.#options.send(nodeId, { kind: "chunk", group: 0, sequence: 0, isLast: true, ...content });
  }
}

const noBytes = new Uint8Array(0);
