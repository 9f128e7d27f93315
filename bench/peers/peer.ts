import type { Address } from "../load/load-connection.ts";

/** A broker, or a cluster of them, to measure. */
export interface Peer {
  readonly name: PeerName;
  /** Why it cannot run here; undefined when it can. */
  readonly missing: string | undefined;
  /** Starts it with its data in a directory that does not exist yet. @throws Error when it does not serve */
  start(directory: string): Promise<RunningPeer>;
}

export type PeerName = "kafka" | "kafka-fsync" | "millrace";

/** Nodes that serve; disposing of them stops the processes that were started, and no others. */
export interface RunningPeer extends AsyncDisposable {
  /** Of one of them. */
  readonly address: Address;
  readonly pids: readonly number[];
  /** Where metrics are served, by node; none where there are none of that kind. */
  readonly metrics: readonly string[];
  /** From the first process's beginning until all serve. */
  readonly startMs: number;
  /** Leaves nothing of the data in memory, so that the next reads are the disk's. */
  makeCold(): Promise<void>;
}
