import { parseHostPort } from "./host-port.ts";
import type { Listener } from "./listeners.ts";

/** A node with a vote in the metadata group, and where the others reach it. */
export interface QuorumVoter {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

/** What a node needs to know to be one of several. */
export interface QuorumConfig {
  /** Those who vote in the metadata group from its beginning. */
  readonly voters: readonly QuorumVoter[];
  /** Where this node takes the connections of the others. */
  readonly listener: Listener;
  /** The host under which the others reach that listener. */
  readonly host: string;
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
}

/** Undefined for a node that is alone; each problem is added to `problems`. */
export function resolveQuorum(texts: QuorumTexts, problems: string[]): QuorumConfig | undefined {
  const { nodeId, roles, bootstrapServers } = texts;
  const isController = roles.includes("controller");
  const voters = texts.voters.flatMap(parseVoter);
  if (voters.length === 0) {
    if (bootstrapServers.length > 1) {
      problems.push(
        `Cannot form a cluster from the ${bootstrapServers.length} controller.quorum.bootstrap.servers alone: name the nodes in controller.quorum.voters, as id@host:port`,
      );
    } else if (!isController || !roles.includes("broker")) {
      problems.push(
        `Cannot start node ${nodeId} with process.roles=${roles.join(",")}: controller.quorum.voters names no controller`,
      );
    }
    return undefined;
  }
  refuseRepeated(voters, problems);
  refuseOtherRole(texts, voters, problems);
  if (voters.length === 1 && isController && roles.includes("broker")) return undefined;

  const listener = listenerBetweenNodes(texts);
  if (!listener) {
    problems.push(
      "Cannot reach the other voters: listeners has none of those that controller.listener.names names",
    );
    return undefined;
  }
  if (listener.securityProtocol !== "PLAINTEXT") {
    problems.push(
      `Cannot open listener "${listener.name}": ${listener.securityProtocol} is not served between nodes yet, only PLAINTEXT is`,
    );
  }
  const own = voters.find((voter) => voter.nodeId === nodeId);
  return { voters, listener, host: own?.host || reachableHost(texts, listener) };
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

/** The config's own validator has seen to the form. */
function parseVoter(text: string): QuorumVoter[] {
  const at = text.indexOf("@");
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
