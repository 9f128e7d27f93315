import type { ConnectionEnd } from "./connection.ts";

/** What a server has seen since its start, in plain numbers that connections add to. */
export interface ConnectionCounts {
  accepted: number;
  /** Turned away at max.connections or max.connections.per.ip. */
  refused: number;
  receivedBytes: number;
  sentBytes: number;
  /** By why the connection ended. */
  readonly ended: Record<ConnectionEnd["kind"], number>;
}

export function noConnections(): ConnectionCounts {
  return {
    accepted: 0,
    refused: 0,
    receivedBytes: 0,
    sentBytes: 0,
    ended: { peer: 0, idle: 0, shutdown: 0, failed: 0 },
  };
}
