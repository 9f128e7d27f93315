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
  /** This node is one of them. */
  readonly voters: readonly QuorumVoter[];
  /** Where this node takes the connections of the others. */
  readonly listener: Listener;
}

/** The configs that make nodes a cluster. */
export interface QuorumTexts {
  readonly nodeId: number;
  readonly roles: readonly string[];
  readonly voters: readonly string[];
  readonly bootstrapServers: readonly string[];
  readonly controllerListeners: readonly Listener[];
}

/** Undefined for a node that is alone; each problem is added to `problems`. */
export function resolveQuorum(texts: QuorumTexts, problems: string[]): QuorumConfig | undefined {
  const { nodeId, bootstrapServers, controllerListeners } = texts;
  const voters = texts.voters.flatMap(parseVoter);
  if (voters.length === 0) {
    if (bootstrapServers.length > 1) {
      problems.push(
        `Cannot form a cluster from the ${bootstrapServers.length} controller.quorum.bootstrap.servers alone: name the nodes in controller.quorum.voters, as id@host:port`,
      );
    }
    return undefined;
  }
  refuseRepeated(voters, problems);
  if (!voters.some((voter) => voter.nodeId === nodeId)) {
    problems.push(`Cannot start node ${nodeId}: controller.quorum.voters does not name it`);
  }
  if (voters.length === 1) return undefined;

  if (!texts.roles.includes("controller")) {
    problems.push(`Cannot start voter ${nodeId}: its process.roles lack "controller"`);
  }
  const [listener] = controllerListeners;
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
  return { voters, listener };
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
