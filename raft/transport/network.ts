/**
 * Byte streams between nodes: the port that a TCP network fills, and in tests a simulated one. Sockets and
 * listening have the shape of the broker's own network port, so that one implementation serves both.
 */
export interface PeerNetwork {
  /** Accepts connections until closed; port 0 takes a free one. */
  listen(options: PeerListenOptions, accept: (socket: PeerSocket) => void): Promise<PeerListener>;
  /** Connects to a peer. Rejects where it cannot, and once the signal is aborted. */
  dial(options: DialOptions): Promise<PeerSocket>;
}

/** Where a node takes its peers' connections. */
export interface PeerListenOptions {
  readonly host: string;
  readonly port: number;
  /** A connection that ended before there was a stream of bytes, as a TLS handshake that failed. */
  readonly onFailure?: (failure: ListenFailure) => void;
}

/** Why a connection was not accepted, and whose. */
export interface ListenFailure {
  readonly remoteAddress: string;
  readonly error: Error;
}

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly signal: AbortSignal;
}

export interface PeerListener {
  readonly port: number;
  /** Accepts no more; open connections stay. */
  close(): Promise<void>;
}

export interface PeerSocketEvents {
  /** The bytes are good until this returns. */
  data(chunk: Buffer): void;
  /** All that was written has left for the peer. */
  drain(): void;
  /** Exactly once, whoever ended it; not before `listen` has returned. */
  close(error: Error | undefined): void;
}

export interface PeerSocket {
  readonly remoteAddress: string;
  /** Bytes written and not yet taken by the peer. */
  readonly unsentBytes: number;
  /** From here on there are events; before, bytes wait. */
  listen(events: PeerSocketEvents): void;
  /** The chunks must stay as they are until they were sent. */
  write(chunks: readonly Uint8Array[]): void;
  /** Sends what is written, then closes. */
  end(): void;
  destroy(): void;
}
