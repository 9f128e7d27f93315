import type { PeerNetwork } from "#raft/transport/network.ts";
import type { PeerTlsConfig } from "../config/peer-tls.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { HttpNetwork } from "./http.ts";
import { type Identity, systemIdentity } from "./identity.ts";
import type { Network } from "./network.ts";
import { nodeHttp } from "./node-http.ts";
import { peerNetwork } from "./peer-network.ts";
import { readPeerTls } from "./peer-tls-files.ts";
import { meterProcess, type ProcessMeter } from "./process-meter.ts";
import { tcpNetwork } from "./tcp-network.ts";

/** All that a broker takes from the world besides its disk; a simulator has its own. */
export interface Ports {
  readonly clock: Clock;
  readonly identity: Identity;
  readonly network: Network;
  /** How nodes of a cluster reach each other; a broker that is alone needs none. */
  readonly peers?: PeerNetwork;
  /** The same with mutual TLS. @throws PemError */
  readonly securePeers?: (tls: PeerTlsConfig) => PeerNetwork;
  /** For metrics and health; without it there are none over HTTP. */
  readonly http?: HttpNetwork;
  /** Begins to measure the process that the broker is. */
  readonly meterProcess?: () => ProcessMeter;
}

/** The machine's own. */
export const systemPorts: Ports = {
  clock: systemClock,
  identity: systemIdentity,
  network: tcpNetwork,
  peers: peerNetwork(),
  securePeers: (tls) => peerNetwork(readPeerTls(tls)),
  http: nodeHttp,
  meterProcess,
};
