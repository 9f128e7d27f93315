import { formatHostPort, type HostPort, parseHostPort } from "./host-port.ts";
import type { Listener } from "./listeners.ts";
import type { PeerTlsConfig } from "./peer-tls.ts";

/** A node with a vote in the metadata group, and where the others reach it. */
export interface QuorumVoter {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

/** What a node needs to know to be one of several. */
export interface QuorumConfig {
  /** Those who vote in the metadata group from its beginning; empty where `servers` are asked who does. */
  readonly voters: readonly QuorumVoter[];
  readonly servers: readonly HostPort[];
  /** Where this node takes the connections of the others. */
  readonly listener: Listener;
  /** The host under which the others reach that listener. */
  readonly host: string;
  /** How it and the connections to the others are protected; undefined for in the clear. */
  readonly tls: PeerTlsConfig | undefined;
}

/** The configs that make nodes a cluster. */
export interface QuorumTexts {
  readonly nodeId: number;
  readonly roles: readonly string[];
  readonly voters: readonly string[];
  readonly bootstrapServers: readonly string[];
  readonly controllerListeners: readonly Listener[];
  /** The name under which a listener of controller.listener.names would be, and how it would be protected. */
  readonly controllerListener: Pick<Listener, "name" | "securityProtocol">;
  /** What clients connect to and what they are told; a broker without a controller's listener is reached there by the others, too. */
  readonly clientListeners: readonly Listener[];
  readonly advertisedListeners: readonly Listener[];
  readonly hostName: string;
  /** The keys and certificates of a listener; adds what is wrong with them to the problems. */
  readonly tlsOf: (listenerName: string) => PeerTlsConfig | undefined;
}

/** Undefined for a node that is alone; each problem is added to `problems`. */
export function resolveQuorum(texts: QuorumTexts, problems: string[]): QuorumConfig | undefined {
  const { nodeId, roles } = texts;
  const hasBothRoles = roles.includes("controller") && roles.includes("broker");
  const voters = texts.voters.flatMap(parseVoter);
  const servers =
    voters.length > 0 ? [] : texts.bootstrapServers.flatMap((text) => parseHostPort(text) ?? []);
  if (voters.length > 0) {
    refuseRepeated(voters, problems);
    refuseOtherRole(texts, voters, problems);
  } else if (servers.length === 0 && !hasBothRoles) {
    problems.push(
      `Cannot start node ${nodeId} with process.roles=${roles.join(",")}: neither controller.quorum.voters nor controller.quorum.bootstrap.servers names a controller`,
    );
    return undefined;
  }
  if (hasBothRoles && isAlone(texts, { voters, servers })) return undefined;

  const listener = listenerBetweenNodes(texts);
  if (!listener) {
    problems.push(
      "Cannot reach the other voters: listeners has none of those that controller.listener.names names",
    );
    return undefined;
  }
  if (listener.securityProtocol !== "PLAINTEXT" && listener.securityProtocol !== "SSL") {
    problems.push(
      `Cannot open listener "${listener.name}": ${listener.securityProtocol} is not served between nodes, PLAINTEXT and SSL are`,
    );
  }
  const tls = listener.securityProtocol === "SSL" ? texts.tlsOf(listener.name) : undefined;
  const own = voters.find((voter) => voter.nodeId === nodeId);
  return { voters, servers, listener, host: own?.host || reachableHost(texts, listener), tls };
}

/** Whether a node of both roles names nobody but itself. */
function isAlone(
  { controllerListeners, hostName }: QuorumTexts,
  { voters, servers }: Pick<QuorumConfig, "voters" | "servers">,
): boolean {
  const [server] = servers;
  if (!server || servers.length > 1) return voters.length <= 1 && servers.length === 0;
  const own = controllerListeners.find(({ port }) => port === server.port);
  return own !== undefined && [own.host, hostName, "localhost", "127.0.0.1", "::1"].includes(server.host);
}

/** As Kafka has it: who is a controller votes, who is none does not. */
function refuseOtherRole(
  { nodeId, roles }: QuorumTexts,
  voters: readonly QuorumVoter[],
  problems: string[],
): void {
  const isVoter = voters.some((voter) => voter.nodeId === nodeId);
  if (isVoter && !roles.includes("controller")) {
    problems.push(`Cannot start voter ${nodeId}: its process.roles lack "controller"`);
  }
  if (!isVoter && roles.includes("controller")) {
    problems.push(
      `Cannot start controller ${nodeId}: controller.quorum.voters does not name it; with process.roles=broker it can join as a broker`,
    );
  }
}

/** A broker alone has no controller's listener in Kafka; where it has none here, any free port will do, for it tells the others which. */
function listenerBetweenNodes(texts: QuorumTexts): Listener | undefined {
  const [listener] = texts.controllerListeners;
  if (listener || texts.roles.includes("controller")) return listener;
  const [client] = texts.clientListeners;
  return client && { ...client, ...texts.controllerListener, port: 0 };
}

function reachableHost({ advertisedListeners, hostName }: QuorumTexts, { host }: Listener): string {
  const isSpecific = host !== "" && host !== "0.0.0.0" && host !== "::";
  return isSpecific ? host : (advertisedListeners[0]?.host ?? hostName);
}

/** A voter as controller.quorum.voters writes it. */
export function formatVoter(voter: QuorumVoter): string {
  return `${voter.nodeId}@${formatHostPort(voter)}`;
}

/** One of controller.quorum.voters, whose validator has seen to the form; none where it is not of that form. */
export function parseVoter(text: string): QuorumVoter[] {
  const at = text.indexOf("@");
  if (at < 1) return [];
  const address = parseHostPort(text.slice(at + 1));
  return address ? [{ nodeId: Number(text.slice(0, at)), ...address }] : [];
}

function refuseRepeated(voters: readonly QuorumVoter[], problems: string[]): void {
  const ids = new Set<number>();
  const addresses = new Set<string>();
  for (const { nodeId, host, port } of voters) {
    const address = `${host}:${port}`;
    if (ids.has(nodeId)) problems.push(`Cannot use controller.quorum.voters: it names node ${nodeId} twice`);
    if (addresses.has(address)) {
      problems.push(`Cannot use controller.quorum.voters: two nodes have the address ${address}`);
    }
    ids.add(nodeId);
    addresses.add(address);
  }
}
