import type { RaftClock } from "../clock.ts";
import type { BackoffBounds } from "./backoff.ts";
import type { Checksum, FrameLimits } from "./frame.ts";
import type { FrameEncoder } from "./frame-encoder.ts";
import type { Admit } from "./handshake.ts";
import type { Lingering } from "./lingering.ts";
import type { PeerNetwork } from "./network.ts";
import type { NodeIdentity, TransportCounters, TransportEvents } from "./transport.ts";

/** Every bound and duration of the connections between nodes. */
export interface TransportBounds {
  /** What may wait for one peer; a single frame may be larger where nothing waits. */
  readonly outboxBytesMax: number;
  /** Chunks are taken only while less than this waits: bulk data must not hold up what groups say. */
  readonly chunkOutboxBytesMax: number;
  readonly frameBytesMax: number;
  readonly envelopeBytesMax: number;
  /** From the first byte to a welcome, connecting included. */
  readonly handshakeTimeoutMs: number;
  readonly pingIntervalMs: number;
  /** A peer that answers nothing for so long is gone. */
  readonly silenceMsMax: number;
  readonly backoff: BackoffBounds;
  /** Before a peer that refused, or was refused, is tried again. */
  readonly refusedRetryMs: number;
  /** What an ended connection gets to send its last bytes. */
  readonly lingerMs: number;
  /** Connections of which nobody has said yet who they are. */
  readonly pendingConnectionsMax: number;
}

export const defaultBounds: TransportBounds = {
  outboxBytesMax: 32 << 20,
  chunkOutboxBytesMax: 2 << 20,
  frameBytesMax: 128 << 20,
  envelopeBytesMax: 8 << 20,
  handshakeTimeoutMs: 3_000,
  pingIntervalMs: 500,
  silenceMsMax: 5_000,
  backoff: { firstMs: 50, maxMs: 1_000 },
  refusedRetryMs: 5_000,
  lingerMs: 500,
  pendingConnectionsMax: 64,
};

/** A connection that has not said yet whose it is may send this much. */
export const strangerLimits: FrameLimits = { bodyBytesMax: 4 << 10, envelopeBytesMax: 4 << 10 };

/** What the connections of a transport share. */
export interface LinkContext {
  readonly network: PeerNetwork;
  readonly clock: RaftClock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly checksum: Checksum;
  readonly encoder: FrameEncoder;
  readonly bounds: TransportBounds;
  /** As of now: a node learns its cluster's id while it runs. */
  readonly identity: (asker?: NodeIdentity) => NodeIdentity;
  readonly admit: Admit;
  readonly events: TransportEvents;
  readonly counters: { -readonly [K in keyof TransportCounters]: TransportCounters[K] };
  readonly lingering: Lingering;
}
