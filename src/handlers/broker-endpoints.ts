import type { ServedBroker } from "./served-broker.ts";

/** A broker as clients of one listener reach it. */
export interface ReachableBroker {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  readonly isFenced: boolean;
}

/** All brokers that live, or all that are registered, with their addresses on the listener that the client came by. */
export function brokerEndpoints(
  broker: ServedBroker,
  listenerName: string,
  { withFenced = false }: { withFenced?: boolean } = {},
): ReachableBroker[] {
  const reachable: ReachableBroker[] = [];
  for (const { nodeId, endpoints, rack, isFenced } of broker.metadata.image.brokers.values()) {
    if (isFenced && !withFenced) continue;
    const endpoint = endpoints.find(({ listener }) => listener === listenerName);
    if (!endpoint) continue;
    reachable.push({ nodeId, host: endpoint.host, port: endpoint.port, rack: rack || null, isFenced });
  }
  return reachable;
}
