import type { Address } from "../load/load-connection.ts";

/** A broker to measure. */
export interface Peer {
  readonly name: PeerName;
  /** Why it cannot run here; undefined when it can. */
  readonly missing: string | undefined;
  /** Starts it with its data in a directory that does not exist yet. @throws Error when it does not serve */
  start(directory: string): Promise<RunningPeer>;
}

export type PeerName = "kafka" | "kafka-fsync" | "millrace";

/** A broker that serves; disposing of it stops the process that was started, and no other. */
export interface RunningPeer extends AsyncDisposable {
  readonly address: Address;
  readonly pid: number;
  /** From the process's beginning to serving. */
  readonly startMs: number;
  /** Leaves nothing of the data in memory, so that the next reads are the disk's. */
  makeCold(): Promise<void>;
}
