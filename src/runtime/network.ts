/** The network as the server sees it: byte streams in, byte streams out. A simulator has its own. */
export interface Network {
  /** Accepts connections until closed; port 0 takes a free one. */
  listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
}

export interface Listener {
  readonly port: number;
  /** Accepts no more; open connections stay. */
  close(): Promise<void>;
}

export interface SocketEvents {
  /** The bytes are good until this returns. */
  data(chunk: Buffer): void;
  /** All that was written has left for the peer. */
  drain(): void;
  /** Exactly once, whoever ended it. */
  close(error: Error | undefined): void;
}

export interface Socket {
  readonly remoteAddress: string;
  /** Bytes written and not yet taken by the peer. */
  readonly unsentBytes: number;
  listen(events: SocketEvents): void;
  write(chunks: readonly Uint8Array[]): void;
  pause(): void;
  resume(): void;
  /** Sends what is written, then closes. */
  end(): void;
  destroy(): void;
}
