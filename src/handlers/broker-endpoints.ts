import type { ServedBroker } from "./served-broker.ts";

/** A broker as clients of one listener reach it. */
export interface ReachableBroker {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** All brokers that live, with their addresses on the listener that the client came by. */
export function brokerEndpoints(broker: ServedBroker, listenerName: string): ReachableBroker[] {
  const reachable: ReachableBroker[] = [];
  for (const { nodeId, endpoints, rack, isFenced } of broker.metadata.image.brokers.values()) {
    if (isFenced) continue;
    const endpoint = endpoints.find(({ listener }) => listener === listenerName);
    if (endpoint) reachable.push({ nodeId, host: endpoint.host, port: endpoint.port, rack: rack || null });
  }
  return reachable;
}
