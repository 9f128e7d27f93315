import type { BrokerConfig } from "../config/broker-config.ts";
import { formatHostPort, type HostPort } from "../config/host-port.ts";
import { formatListener, type Listener } from "../config/listeners.ts";
import { formatVoter, type QuorumVoter } from "../config/quorum.ts";

/** One of several brokers on this machine. */
export interface NodePlan {
  readonly nodeId: number;
  /** What makes it this one: flags behind all those that the nodes share. */
  readonly flags: readonly string[];
  readonly logDirectory: string;
  /** Where clients connect, as `host:port`. */
  readonly addresses: readonly string[];
}

export interface NodePlanOptions {
  /** The first node's, as it would be on its own. */
  readonly base: BrokerConfig;
  readonly count: number;
  readonly logDirectory: string;
  readonly hostName: string;
  /** A port that nobody listens on now: for listeners that leave the port open. */
  readonly freePort: (host: string) => Promise<number>;
  /** Nobody listens there now. */
  readonly isFree: (address: HostPort) => Promise<boolean>;
}

export type PlannedNodes =
  | { readonly kind: "nodes"; readonly nodes: readonly NodePlan[] }
  | { readonly kind: "problems"; readonly problems: readonly string[] };

/** Between a node's port for clients and its port for the other nodes, where no listener is named for those. */
const controllerPortDistance = 10_000;
const portMax = 65_535;
/** More voters than these make decisions slower and not much safer. */
const votersMax = 3;
const controllerName = "CONTROLLER";
const loopback = "127.0.0.1";

/** A listener of each kind for one node, its ports settled. */
interface NodeListeners {
  readonly nodeId: number;
  readonly client: readonly Listener[];
  readonly controller: readonly Listener[];
  readonly advertised: readonly Listener[];
}

/**
 * Makes several nodes out of one node's config: ids and ports count up from its own, each has a directory of its own
 * below the one directory, and all have the host's name as their rack, so that replicas of a partition are spread
 * over hosts before they are over cores.
 */
export async function planNodes(options: NodePlanOptions): Promise<PlannedNodes> {
  const { base, count, logDirectory, hostName } = options;
  const listeners: NodeListeners[] = [];
  for (let index = 0; index < count; index++) listeners.push(await listenersOf(options, index));
  const problems = [...refusePorts(listeners)];
  if (problems.length > 0) return { kind: "problems", problems };

  const rack = base.rack ?? hostName;
  const isAlone = count === 1 && !base.quorum;
  const voters = votersOf(base, listeners);
  const httpListeners = await Promise.all(listeners.map((_, index) => httpListenerOf(options, index)));
  const nodes = listeners.map((node, index): NodePlan => {
    const directory = `${logDirectory}/node-${node.nodeId}`;
    return {
      nodeId: node.nodeId,
      logDirectory: directory,
      addresses: node.advertised.map(formatHostPort),
      flags: [
        `--node.id=${node.nodeId}`,
        `--broker.id=${node.nodeId}`,
        `--broker.rack=${rack}`,
        `--log.dirs=${directory}`,
        `--listeners=${[...node.client, ...(isAlone ? [] : node.controller)].map(formatListener).join(",")}`,
        `--advertised.listeners=${node.advertised.map(formatListener).join(",")}`,
        ...(isAlone ? [] : quorumFlags(base, node.nodeId, voters)),
        `--millrace.http.listener=${httpListeners[index] ?? "off"}`,
      ],
    };
  });
  return { kind: "nodes", nodes };
}

async function listenersOf(options: NodePlanOptions, index: number): Promise<NodeListeners> {
  const { base, freePort } = options;
  const shifted = async (listener: Listener): Promise<Listener> => ({
    ...listener,
    port: listener.port === 0 ? await freePort(listener.host) : listener.port + index,
  });
  const client = await Promise.all(base.listeners.map(shifted));
  const controller =
    base.controllerListeners.length > 0
      ? await Promise.all(base.controllerListeners.map(shifted))
      : [await ownController(base, index, freePort)];
  const portOf = (name: string): number => client.find((listener) => listener.name === name)?.port ?? 0;
  const advertised = base.advertisedListeners.map((listener) => ({
    ...listener,
    port: listener.port === 0 ? portOf(listener.name) : listener.port + index,
  }));
  return { nodeId: base.nodeId + index, client, controller, advertised };
}

/** All nodes are on this machine unless the operator has said otherwise, so loopback reaches them. */
async function ownController(
  base: BrokerConfig,
  index: number,
  freePort: NodePlanOptions["freePort"],
): Promise<Listener> {
  const host = loopback;
  const first = base.listeners[0]?.port ?? 0;
  const port = first === 0 ? await freePort(host) : first + controllerPortDistance + index;
  return { name: controllerName, host, port, securityProtocol: "PLAINTEXT" };
}

/**
 * An operator who names the voters has several hosts; else the nodes of this one are all there are. Two nodes both vote:
 * one of them alone could not go on either without what only the other holds.
 */
function votersOf(base: BrokerConfig, listeners: readonly NodeListeners[]): readonly QuorumVoter[] {
  if (base.quorum) return base.quorum.voters;
  return listeners.slice(0, votersMax).flatMap(({ nodeId, controller: [listener] }) => {
    if (!listener) return [];
    const isEverywhere = ["", "0.0.0.0", "::"].includes(listener.host);
    return [{ nodeId, host: isEverywhere ? loopback : listener.host, port: listener.port }];
  });
}

function quorumFlags(base: BrokerConfig, nodeId: number, voters: readonly QuorumVoter[]): readonly string[] {
  const names = base.controllerListeners.length > 0 ? [] : [`--controller.listener.names=${controllerName}`];
  // Who votes is asked at controller.quorum.bootstrap.servers.
  if (voters.length === 0) return names;
  const isVoter = voters.some((voter) => voter.nodeId === nodeId);
  return [
    `--process.roles=${isVoter ? "broker,controller" : "broker"}`,
    `--controller.quorum.voters=${voters.map(formatVoter).join(",")}`,
    ...names,
  ];
}

/** The default gives way to whoever has the port already; what the operator asked for does not. */
async function httpListenerOf({ base, isFree }: NodePlanOptions, index: number): Promise<string> {
  if (!base.httpListener) return "off";
  const { host, port, isExplicit } = base.httpListener;
  const wanted = { host, port: port === 0 ? 0 : port + index };
  return formatHostPort(isExplicit || (await isFree(wanted)) ? wanted : { host, port: 0 });
}

function* refusePorts(nodes: readonly NodeListeners[]): Iterable<string> {
  const owners = new Map<string, string>();
  for (const { nodeId, client, controller } of nodes) {
    for (const listener of [...client, ...controller]) {
      const owner = `listener ${listener.name} of node ${nodeId}`;
      if (listener.port > portMax) yield `Cannot open ${owner}: its port would be ${listener.port}`;
      const other = owners.get(String(listener.port));
      if (other !== undefined) {
        yield `Cannot open ${owner}: ${other} has port ${listener.port}; leave as many ports between listeners as there are nodes`;
      }
      owners.set(String(listener.port), owner);
    }
  }
}
