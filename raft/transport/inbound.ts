import { nodeIdOf, replicaId } from "../core/replica-id.ts";
import { decodeNodeFrame } from "./codec.ts";
import { FrameError, type ReceivedFrame, transportVersion } from "./frame.ts";
import { type ConnectionEnd, FrameConnection } from "./frame-connection.ts";
import { decodeHello, encodeRefusal, encodeWelcome, judgeHello, judgeIdentity } from "./handshake.ts";
import { type LinkContext, strangerLimits } from "./link-context.ts";
import type { PeerSocket } from "./network.ts";
import type { NodeFrame } from "./node-frame.ts";
import { type RefusalReason, refusalCodeOf } from "./refusal.ts";
import type { NodeIdentity, PeerAddress, PeerIdentity } from "./transport.ts";

/** A peer that asks without reading the answers gets no more of them than this. */
const unsentPongBytesMax = 16 << 10;

/** Intervals between pings within which a process that lives is heard of. */
const livesPings = 2;

/** A connection over which a peer sends to this node. */
interface InboundLink {
  readonly connection: FrameConnection;
  /** Undefined until it has said who it is and was let in. */
  identity: NodeIdentity | undefined;
  bytesHeard: number;
  lastHeardMs: number;
  cancelTimeout: () => void;
}

export interface InboundOptions {
  readonly context: LinkContext;
  readonly peerOf: (nodeId: number) => PeerAddress | undefined;
  /** A node has connected and was let in. */
  readonly onWelcome: (peer: PeerIdentity) => void;
  readonly onReset: (peer: PeerIdentity) => void;
}

/** The connections that others made to this node: strangers until they have said who they are, at most one per node after. */
export class Inbound {
  readonly #context: LinkContext;
  readonly #options: InboundOptions;
  /** In the order of their coming. */
  readonly #pending = new Set<InboundLink>();
  readonly #links = new Map<number, InboundLink>();
  #ownNodeId: number | undefined;
  #isClosed = false;

  constructor(options: InboundOptions) {
    this.#options = options;
    this.#context = options.context;
  }

  accept(socket: PeerSocket): void {
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    const { bounds, checksum, clock } = this.#context;
    this.#makeRoom();
    const link: InboundLink = {
      connection: new FrameConnection({
        socket,
        checksum,
        limits: strangerLimits,
        onFrame: (frame) => this.#take(link, frame),
        onEnd: (end) => this.#onEnd(link, end),
      }),
      identity: undefined,
      bytesHeard: 0,
      lastHeardMs: 0,
      cancelTimeout: clock.schedule(bounds.handshakeTimeoutMs, () => {
        const message = `Cannot let in ${socket.remoteAddress}: it has not said who it is in ${bounds.handshakeTimeoutMs} ms`;
        this.#refuse(link, { code: "silent", message });
      }),
    };
    this.#pending.add(link);
  }

  /** Hangs up on those who would not be let in any more. */
  judgeAgain(): void {
    const { identity, admit } = this.#context;
    for (const link of [...this.#links.values()]) {
      if (!link.identity) continue;
      const peer = this.#options.peerOf(link.identity.nodeId);
      if (judgeIdentity(link.identity, { own: identity(), peer, admit })) this.#hangUp(link);
    }
  }

  /** Destroys links over which nothing came for too long; `forgives` after a pause of this node itself. */
  tick({ nowMs, forgives }: { nowMs: number; forgives: boolean }): void {
    for (const link of [...this.#links.values()]) {
      const { bytesReceived } = link.connection;
      if (forgives || bytesReceived !== link.bytesHeard) link.lastHeardMs = nowMs;
      link.bytesHeard = bytesReceived;
      if (nowMs - link.lastHeardMs <= this.#context.bounds.silenceMsMax) continue;
      link.connection.destroy();
      this.#forget(link);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const link of [...this.#pending, ...this.#links.values()]) this.#hangUp(link);
  }

  /** The oldest stranger goes: peers come through even while somebody opens connections and says nothing. */
  #makeRoom(): void {
    const [oldest] = this.#pending;
    if (!oldest || this.#pending.size < this.#context.bounds.pendingConnectionsMax) return;
    const message = `Cannot keep the connection of ${oldest.connection.remoteAddress}: ${this.#pending.size} have not said who they are`;
    this.#refuse(oldest, { code: "crowded", message });
  }

  #take(link: InboundLink, frame: ReceivedFrame): void {
    if (!link.identity) {
      this.#greet(link, frame);
      return;
    }
    const { encoder, counters, events } = this.#context;
    const peer = peerOf(link.identity);
    switch (frame.kind) {
      case "ping":
        if (link.connection.unsentBytes < unsentPongBytesMax)
          link.connection.send(encoder.encode({ kind: "pong" }));
        return;
      case "goodbye":
        this.#hangUp(link);
        return;
      default: {
        const decoded = decodeNodeFrame(frame);
        this.#checkEnds(decoded, peer);
        counters.framesReceived += 1;
        counters.bytesReceived += frame.envelope.length + frame.tail.length;
        events.frame(peer, decoded);
      }
    }
  }

  #greet(link: InboundLink, frame: ReceivedFrame): void {
    const { identity, admit, bounds, encoder, clock } = this.#context;
    const hello = decodeHello(frame);
    const own = identity(hello.from);
    const peer = this.#options.peerOf(hello.from.nodeId);
    const refusal = judgeHello(hello, { own, peer, admit });
    if (refusal) {
      this.#refuse(link, refusal, hello.from.nodeId);
      return;
    }
    const welcome = encodeWelcome({ version: transportVersion, from: own }, encoder);
    if (hello.toNodeId === undefined) {
      this.#forget(link);
      link.connection.end(welcome);
      this.#context.lingering.add(link.connection);
      return;
    }
    const former = this.#links.get(hello.from.nodeId);
    if (former && this.#isOtherAndLives(former, hello.from)) {
      const message = `Cannot talk to node ${hello.from.nodeId}: another process with this id is connected from ${former.connection.remoteAddress}, give each node its own node.id`;
      this.#refuse(link, { code: "reusedNodeId", message }, hello.from.nodeId);
      return;
    }
    link.cancelTimeout();
    this.#pending.delete(link);
    // The former connection of a node that comes again is dead, whether that was noticed or not.
    if (former) this.#hangUp(former);
    link.identity = hello.from;
    link.lastHeardMs = clock.monotonicMs();
    this.#links.set(hello.from.nodeId, link);
    link.connection.setLimits({
      bodyBytesMax: bounds.frameBytesMax,
      envelopeBytesMax: bounds.envelopeBytesMax,
    });
    link.connection.send(welcome);
    this.#options.onWelcome(peerOf(hello.from));
    this.#context.events.met?.(hello.from);
  }

  /** Whether a connection is of another process than the one that has come, and was heard of just now. */
  #isOtherAndLives(
    { identity, connection, bytesHeard, lastHeardMs }: InboundLink,
    newcomer: NodeIdentity,
  ): boolean {
    if (!identity?.processId || !newcomer.processId || identity.processId === newcomer.processId)
      return false;
    const { clock, bounds } = this.#context;
    if (connection.bytesReceived !== bytesHeard) return true;
    return clock.monotonicMs() - lastHeardMs <= livesPings * bounds.pingIntervalMs;
  }

  /** A node speaks for its own replicas, those of the disk that it has, to this one. @throws FrameError */
  #checkEnds(frame: NodeFrame, peer: PeerIdentity): void {
    if (frame.kind !== "pass") return;
    this.#ownNodeId ??= this.#context.identity().nodeId;
    const from = replicaId(peer);
    for (const { message } of frame.messages) {
      if (message.from === from && nodeIdOf(message.to) === this.#ownNodeId) continue;
      const ends = `from node ${nodeIdOf(message.from)} to ${nodeIdOf(message.to)}`;
      throw new FrameError(
        "envelope",
        `Cannot take a message ${ends} over a connection from ${peer.nodeId} to ${this.#ownNodeId}`,
      );
    }
  }

  #onEnd(link: InboundLink, end: ConnectionEnd): void {
    if (end.kind === "broken") {
      this.#refuse(link, { code: refusalCodeOf(end.error), message: describe(link, end.error) });
      return;
    }
    const { identity } = link;
    this.#forget(link);
    if (identity) this.#options.onReset(peerOf(identity));
  }

  #refuse(link: InboundLink, reason: RefusalReason, nodeId = link.identity?.nodeId): void {
    const { encoder, counters, events, lingering } = this.#context;
    const { connection } = link;
    this.#forget(link);
    // Who is no node would not understand the answer.
    if (reason.code === "stranger") connection.destroy();
    else {
      connection.end(encodeRefusal(reason, encoder));
      lingering.add(connection);
    }
    counters.connectionsRefused += 1;
    const { remoteAddress } = connection;
    events.refused({ direction: "inbound", by: "local", remoteAddress, nodeId, ...reason });
  }

  #hangUp(link: InboundLink): void {
    this.#forget(link);
    link.connection.end(this.#context.encoder.encode({ kind: "goodbye" }));
    this.#context.lingering.add(link.connection);
  }

  #forget(link: InboundLink): void {
    link.cancelTimeout();
    this.#pending.delete(link);
    const nodeId = link.identity?.nodeId;
    if (nodeId !== undefined && this.#links.get(nodeId) === link) this.#links.delete(nodeId);
  }
}

function peerOf({ nodeId, incarnation }: NodeIdentity): PeerIdentity {
  return { nodeId, incarnation };
}

function describe(link: InboundLink, error: FrameError): string {
  const who = link.identity ? `node ${link.identity.nodeId}` : link.connection.remoteAddress;
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `Cannot go on listening to ${who}: ${error.message}${cause}`;
}
