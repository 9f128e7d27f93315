import type { Logger } from "pino";
import { formatHostPort, type HostPort } from "../../config/host-port.ts";
import type { QuorumVoter } from "../../config/quorum.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import { LongWait } from "../../runtime/long-wait.ts";
import type { NodeCard } from "./node-card.ts";

/** What a node answers to who asks it. */
export interface NodeAnswer {
  readonly nodeId: number;
  readonly processId: string;
  /** Empty as long as it is in no cluster. */
  readonly clusterId: string;
  readonly card: NodeCard;
}

export interface QuorumSearchOptions {
  readonly nodeId: number;
  readonly processId: string;
  readonly roles: { readonly isBroker: boolean; readonly isController: boolean };
  /** The addresses of controller.quorum.bootstrap.servers. */
  readonly servers: readonly HostPort[];
  /** Rejects, with the reason, where nobody answers. */
  readonly ask: (server: HostPort) => Promise<NodeAnswer>;
  /** What an earlier start has remembered, and no cluster came of yet; empty for nothing. */
  readonly remembered: readonly QuorumVoter[];
  /** Keeps the voters durably; from then on who asks is told them. */
  readonly remember: (voters: readonly QuorumVoter[]) => Promise<void>;
  readonly isClosed: () => boolean;
  readonly clock: Pick<Clock, "monotonicMs" | "schedule">;
  readonly logger: Logger;
}

/** The nodes that were asked cannot found a cluster, or not with this one. */
export class QuorumError extends Error {
  constructor(reason: string) {
    super(`Cannot use controller.quorum.bootstrap.servers: ${reason}`);
    this.name = "QuorumError";
  }
}

type Outcome =
  | { readonly server: HostPort; readonly answer: NodeAnswer }
  | { readonly server: HostPort; readonly error: unknown };
type Answered = Extract<Outcome, { answer: NodeAnswer }>;

const askIntervalMs = 200;

/**
 * Finds who votes in the metadata group by asking the servers that the operator has named (decision 16).
 *
 * Where there is a cluster it says who. Where there is none the named controllers found one together: each asks all of
 * them, remembers who they are, and begins once all say the same. So no two of them ever begin with other voters, even
 * where they were given different lists; then they wait, and say why.
 */
export class QuorumSearch {
  readonly #options: QuorumSearchOptions;
  #remembered: readonly QuorumVoter[];
  #hint = "";

  constructor(options: QuorumSearchOptions) {
    this.#options = options;
    this.#remembered = options.remembered;
  }

  /** @throws QuorumError, and what `remember` throws */
  async find(): Promise<readonly QuorumVoter[]> {
    const { clock, servers, isClosed, logger } = this.#options;
    const wait = new LongWait(clock);
    for (;;) {
      const outcomes = await Promise.all(servers.map((server) => this.#ask(server)));
      if (isClosed()) throw new Error("Cannot find the cluster: the broker is stopping");
      const voters = await this.#judge(outcomes);
      if (voters) return voters;
      wait.tell(() =>
        logger.warn({ waitingFor: this.#hint }, "waiting for controller.quorum.bootstrap.servers"),
      );
      await sleep(clock, askIntervalMs);
    }
  }

  async #ask(server: HostPort): Promise<Outcome> {
    try {
      return { server, answer: await this.#options.ask(server) };
    } catch (error) {
      return { server, error };
    }
  }

  /** The voters, or undefined while it is not known yet who they are. */
  async #judge(outcomes: readonly Outcome[]): Promise<readonly QuorumVoter[] | undefined> {
    const answered = outcomes.filter((outcome) => "answer" in outcome);
    const inCluster = answered.find(({ answer }) => answer.clusterId !== "" && answer.card.voters.length > 0);
    if (inCluster) return this.#join(inCluster);

    const missing = outcomes.filter((outcome) => "error" in outcome);
    this.#hint = missing
      .map(({ error }) => (error instanceof Error ? error.message : String(error)))
      .join("; ");
    if (missing.length > 0) return undefined;
    if (!answered.some(({ answer }) => answer.processId === this.#options.processId)) {
      this.#hint = "the cluster, which is not founded yet";
      return undefined;
    }
    return await this.#found(answered);
  }

  /** There is a cluster: what it says counts, whoever was named. */
  #join({ server, answer }: Answered): readonly QuorumVoter[] {
    const { nodeId, roles } = this.#options;
    const { voters } = answer.card;
    if (!roles.isBroker && !voters.some((voter) => voter.nodeId === nodeId)) {
      throw new QuorumError(
        `the cluster of node ${answer.nodeId} at ${formatHostPort(server)} has its controllers already, and node ${nodeId} is none of them`,
      );
    }
    return voters;
  }

  async #found(answered: readonly Answered[]): Promise<readonly QuorumVoter[] | undefined> {
    const voters = votersAmong(answered);
    if (this.#remembered.length === 0) {
      await this.#options.remember(voters);
      this.#remembered = voters;
    }
    if (!isSameSet(voters, this.#remembered)) {
      throw new QuorumError(
        `they are nodes ${idsOf(voters)}, and this node has agreed to nodes ${idsOf(this.#remembered)} before; remove its data directory to begin anew`,
      );
    }
    const others = answered.filter(({ answer }) => !isSameSet(answer.card.voters, voters));
    if (others.length === 0) return voters;
    this.#hint = others
      .map(({ answer: { nodeId, card } }) =>
        card.voters.length === 0
          ? `node ${nodeId}, which has not reached all of them yet`
          : `node ${nodeId}, which was given others: nodes ${idsOf(card.voters)} and not nodes ${idsOf(voters)}`,
      )
      .join("; ");
    return undefined;
  }
}

/** Who answered, each once; a node may have been named by two of its addresses. @throws QuorumError */
function votersAmong(answered: readonly Answered[]): QuorumVoter[] {
  const byId = new Map<number, Answered>();
  for (const found of answered) {
    const { server, answer } = found;
    if (!answer.card.isController) {
      throw new QuorumError(
        `node ${answer.nodeId} at ${formatHostPort(server)} has not the role of a controller`,
      );
    }
    const other = byId.get(answer.nodeId);
    if (other && other.answer.processId !== answer.processId) {
      throw new QuorumError(
        `${formatHostPort(other.server)} and ${formatHostPort(server)} are two nodes with the id ${answer.nodeId}`,
      );
    }
    if (!other) byId.set(answer.nodeId, found);
  }
  return [...byId.values()]
    .map(({ server: { host, port }, answer: { nodeId } }) => ({ nodeId, host, port }))
    .sort((a, b) => a.nodeId - b.nodeId);
}

function isSameSet(a: readonly QuorumVoter[], b: readonly QuorumVoter[]): boolean {
  return idsOf(a) === idsOf(b);
}

function idsOf(voters: readonly QuorumVoter[]): string {
  return voters
    .map(({ nodeId }) => nodeId)
    .sort((a, b) => a - b)
    .join(", ");
}
