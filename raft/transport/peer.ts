import { replicaId } from "../core/replica-id.ts";
import { backoffMs } from "./backoff.ts";
import { encodeNodeFrame } from "./codec.ts";
import { FrameError, type ReceivedFrame, transportVersion } from "./frame.ts";
import { type ConnectionEnd, FrameConnection } from "./frame-connection.ts";
import { decodeAnswer, encodeHello, judgeWelcome } from "./handshake.ts";
import { type LinkContext, strangerLimits } from "./link-context.ts";
import type { FrameReplicas } from "./message-codec.ts";
import type { PeerSocket } from "./network.ts";
import type { NodeFrame } from "./node-frame.ts";
import { type Refusal, type RefusalReason, refusalCodeOf } from "./refusal.ts";
import type { DownCause, PeerAddress, PeerIdentity } from "./transport.ts";

/** A connection that lived for so long counts as a success; one that ends sooner is a failure like any other. */
const settledMs = 1_000;

type State =
  /** For the next attempt. */
  | { readonly kind: "waiting"; readonly cancel: () => void }
  | { readonly kind: "dialing"; readonly abort: AbortController; readonly cancel: () => void }
  | { readonly kind: "greeting"; readonly connection: FrameConnection; readonly cancel: () => void }
  | {
      readonly kind: "up";
      readonly connection: FrameConnection;
      readonly identity: PeerIdentity;
      readonly replicas: FrameReplicas;
      readonly sinceMs: number;
    }
  | { readonly kind: "closed" };

/** What a peer tells the transport, beside the events. */
export interface PeerHooks {
  readonly onUp: (peer: PeerIdentity) => void;
  readonly onReset: (peer: PeerIdentity) => void;
}

/**
 * The connection over which this node sends to one peer; the peer has its own for the other direction. So there
 * is no question which of two connections is the one, and a link that works one way only is used as far as it does.
 */
export class Peer {
  readonly address: PeerAddress;
  readonly #context: LinkContext;
  readonly #hooks: PeerHooks;
  #state: State = { kind: "waiting", cancel: () => undefined };
  #failureCount = 0;
  #lastHeardMs = 0;
  #wasFull = false;
  /** What was told already and has not changed. */
  #toldRefusal: string | undefined;

  constructor(address: PeerAddress, context: LinkContext, hooks: PeerHooks) {
    this.address = address;
    this.#context = context;
    this.#hooks = hooks;
    this.#waitAndDial(0);
  }

  get isUp(): boolean {
    return this.#state.kind === "up";
  }

  get outboxBytes(): number {
    return this.#state.kind === "up" ? this.#state.connection.unsentBytes : 0;
  }

  /** Whether the frame was taken. */
  send(frame: NodeFrame): boolean {
    const { bounds, counters, encoder } = this.#context;
    const state = this.#state;
    if (state.kind !== "up") {
      counters.framesDroppedDown += 1;
      return false;
    }
    const unsentBytes = state.connection.unsentBytes;
    const bytesMax = frame.kind === "chunk" ? bounds.chunkOutboxBytesMax : bounds.outboxBytesMax;
    if (unsentBytes >= bytesMax) return this.#full();
    const encoded = encodeNodeFrame(frame, state.replicas, encoder);
    if (unsentBytes > 0 && unsentBytes + encoded.sizeBytes > bytesMax) return this.#full();
    if (encoded.sizeBytes > bounds.frameBytesMax) {
      throw new RangeError(
        `Cannot send a frame of ${encoded.sizeBytes} bytes: the most is ${bounds.frameBytesMax}`,
      );
    }
    state.connection.send(encoded);
    counters.framesSent += 1;
    counters.bytesSent += encoded.sizeBytes;
    return true;
  }

  /** The peer is there, for it has just connected: what is waited for has come. */
  nudge(): void {
    if (this.#state.kind !== "waiting") return;
    this.#state.cancel();
    this.#dial();
  }

  /** Asks whether the peer lives; `forgives` after a pause of this node itself, in which nothing could be heard. */
  tick({ nowMs, forgives }: { nowMs: number; forgives: boolean }): void {
    const state = this.#state;
    if (state.kind !== "up") return;
    if (forgives) this.#lastHeardMs = nowMs;
    if (nowMs - this.#lastHeardMs > this.#context.bounds.silenceMsMax) {
      state.connection.destroy();
      this.#lost(state, "silent");
      return;
    }
    state.connection.send(this.#context.encoder.encode({ kind: "ping" }));
  }

  /** Hangs up; nothing is told any more. */
  close(): void {
    const state = this.#state;
    this.#state = { kind: "closed" };
    if (state.kind === "waiting" || state.kind === "dialing" || state.kind === "greeting") state.cancel();
    if (state.kind === "dialing") state.abort.abort();
    if (state.kind === "greeting" || state.kind === "up") this.#hangUp(state.connection);
  }

  #full(): false {
    this.#context.counters.framesDroppedFull += 1;
    this.#wasFull = true;
    return false;
  }

  #waitAndDial(delayMs: number): void {
    const cancel = this.#context.clock.schedule(delayMs, () => this.#dial());
    this.#state = { kind: "waiting", cancel };
  }

  #dial(): void {
    const { clock, bounds, network } = this.#context;
    const { host, port } = this.address;
    const abort = new AbortController();
    const cancel = clock.schedule(bounds.handshakeTimeoutMs, () => {
      abort.abort();
      this.#failed(
        new Error(`Cannot connect to ${host}:${port}: no answer in ${bounds.handshakeTimeoutMs} ms`),
      );
    });
    const state: State = { kind: "dialing", abort, cancel };
    this.#state = state;
    network.dial({ host, port, signal: abort.signal }).then(
      (socket) => {
        if (this.#state === state) this.#greet(socket, cancel);
        else socket.destroy();
      },
      (error: unknown) => {
        if (this.#state === state) this.#failed(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  #greet(socket: PeerSocket, cancel: () => void): void {
    const { encoder, checksum, identity } = this.#context;
    const connection = new FrameConnection({
      socket,
      checksum,
      limits: strangerLimits,
      onFrame: (frame) => this.#take(frame),
      onDrain: () => this.#onDrain(),
      onEnd: (end) => this.#onEnd(end),
    });
    this.#state = { kind: "greeting", connection, cancel };
    const versions = { versionMin: transportVersion, versionMax: transportVersion };
    connection.send(encodeHello({ ...versions, from: identity(), toNodeId: this.address.nodeId }, encoder));
  }

  #take(frame: ReceivedFrame): void {
    const state = this.#state;
    if (state.kind === "greeting") this.#judge(state.connection, frame);
    else if (state.kind === "up") this.#heard(state, frame);
  }

  #judge(connection: FrameConnection, frame: ReceivedFrame): void {
    const { identity, admit, clock } = this.#context;
    const answer = decodeAnswer(frame);
    if ("code" in answer) {
      this.#refused(connection, { ...answer, by: "remote" });
      return;
    }
    const own = identity();
    const refusal = judgeWelcome(answer, { own, peer: this.address, admit });
    if (refusal) {
      this.#refused(connection, { ...refusal, by: "local" });
      return;
    }
    this.#cancelTimeout();
    const { nodeId, incarnation } = answer.from;
    const nowMs = clock.monotonicMs();
    const replicas = { from: replicaId(own), to: replicaId({ nodeId, incarnation }) };
    this.#state = { kind: "up", connection, identity: { nodeId, incarnation }, replicas, sinceMs: nowMs };
    this.#lastHeardMs = nowMs;
    this.#wasFull = false;
    this.#toldRefusal = undefined;
    this.#hooks.onUp({ nodeId, incarnation });
  }

  #heard(state: State & { kind: "up" }, frame: ReceivedFrame): void {
    if (frame.kind === "goodbye") {
      this.#hangUp(state.connection);
      this.#lost(state, "left");
      return;
    }
    if (frame.kind !== "pong") {
      throw new FrameError("unexpected", `Cannot take a frame of kind "${frame.kind}" from who is to listen`);
    }
    this.#lastHeardMs = this.#context.clock.monotonicMs();
  }

  #onDrain(): void {
    if (!this.#wasFull || this.#state.kind !== "up") return;
    this.#wasFull = false;
    this.#context.events.drained(this.address.nodeId);
  }

  #onEnd(end: ConnectionEnd): void {
    const state = this.#state;
    if (state.kind === "up") {
      this.#lost(state, end.kind === "broken" ? "broken" : "reset");
    } else if (state.kind === "greeting" && end.kind === "broken") {
      const code = refusalCodeOf(end.error);
      this.#refused(state.connection, { code, message: end.error.message, by: "local" });
    } else if (state.kind === "greeting") {
      const { host, port } = this.address;
      const reason = end.error ? `: ${end.error.message}` : "";
      this.#failed(
        new Error(`Cannot connect to ${host}:${port}: it closed the connection${reason}`, {
          cause: end.error,
        }),
      );
    }
  }

  #lost(state: State & { kind: "up" }, cause: DownCause): void {
    const { clock, events } = this.#context;
    if (clock.monotonicMs() - state.sinceMs >= settledMs) this.#failureCount = 0;
    this.#retry();
    events.down(state.identity, cause);
    if (cause === "reset") this.#hooks.onReset(state.identity);
  }

  #failed(error: Error): void {
    const isFirst = this.#failureCount === 0;
    const state = this.#state;
    this.#cancelTimeout();
    if (state.kind === "greeting") state.connection.destroy();
    this.#retry();
    if (isFirst) this.#context.events.unreachable(this.address.nodeId, error);
  }

  #refused(connection: FrameConnection, reason: RefusalReason & Pick<Refusal, "by">): void {
    const { bounds, counters, events } = this.#context;
    this.#cancelTimeout();
    this.#hangUp(connection);
    this.#waitAndDial(
      backoffMs(1, { firstMs: bounds.refusedRetryMs, maxMs: bounds.refusedRetryMs }, this.#context.random()),
    );
    counters.connectionsRefused += 1;
    if (this.#toldRefusal === reason.code) return;
    this.#toldRefusal = reason.code;
    const { nodeId } = this.address;
    events.refused({ direction: "outbound", remoteAddress: connection.remoteAddress, nodeId, ...reason });
  }

  #cancelTimeout(): void {
    if (this.#state.kind === "dialing" || this.#state.kind === "greeting") this.#state.cancel();
  }

  #retry(): void {
    const { bounds, random } = this.#context;
    this.#failureCount += 1;
    this.#waitAndDial(backoffMs(this.#failureCount, bounds.backoff, random()));
  }

  #hangUp(connection: FrameConnection): void {
    connection.end(this.#context.encoder.encode({ kind: "goodbye" }));
    this.#context.lingering.add(connection);
  }
}
