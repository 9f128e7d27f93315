import { type Clock, systemClock } from "./clock.ts";
import { type Identity, systemIdentity } from "./identity.ts";
import type { Network } from "./network.ts";
import { tcpNetwork } from "./tcp-network.ts";

/** All that a broker takes from the world besides its disk; a simulator has its own. */
export interface Ports {
  readonly clock: Clock;
  readonly identity: Identity;
  readonly network: Network;
}

/** The machine's own. */
export const systemPorts: Ports = { clock: systemClock, identity: systemIdentity, network: tcpNetwork };
