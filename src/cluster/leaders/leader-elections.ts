import type { RaftGroup } from "#raft/host/raft-group.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import { decodeJson, encodeJson } from "../network/json-payload.ts";
import type { NodeCalls } from "../network/node-calls.ts";
import type { LeaderDirectory } from "./leader-directory.ts";
import { handOver } from "./leadership-transfer.ts";

/** Which node is to lead a group. */
export interface LeaderWish {
  readonly groupId: number;
  readonly nodeId: number;
}

/** notAvailable: the node does not follow closely enough, or is not there · timedOut: nobody knows yet. */
export type ElectionOutcome = "elected" | "notNeeded" | "notAvailable" | "timedOut";

/** What the node says that was asked to hand groups over; moved: it does not lead the group. */
type HandOverOutcome = ElectionOutcome | "moved";

export interface LeaderElectionsOptions {
  readonly nodeId: number;
  readonly groups: { group(id: number): RaftGroup | undefined };
  readonly leaders: LeaderDirectory;
  /** Undefined on a node that is alone. */
  readonly calls: NodeCalls | undefined;
  /** Whether a node can be talked to now. */
  readonly isReachable: (nodeId: number) => boolean;
  /** Whether a node takes no records now, and would give away at once what it is given; none, unless told. */
  readonly isFull?: (nodeId: number) => boolean;
  readonly clock: Pick<Clock, "monotonicMs" | "schedule">;
}

const callName = "hand-over";
const pollMs = 5;
/** Groups of one node that are handed over at a time: each takes no records meanwhile. */
const handOversMax = 100;
/** Looks for a leader that moved or is not known, and the pause before each. */
const triesMax = 20;
const retryMs = 50;
/** How long this node waits to hear of leaders that it knows to be elected. */
const hearMsMax = 1_000;

/** Moves leadership to the nodes that somebody wishes, wherever the groups are led now. */
export class LeaderElections {
  readonly #options: LeaderElectionsOptions;

  constructor(options: LeaderElectionsOptions) {
    this.#options = options;
    options.calls?.answer(callName, async (_, payload) => {
      const { wishes, limitMs } = decodeJson(payload) as HandOverCall;
      return encodeJson(await this.#handOverHere(wishes, limitMs));
    });
  }

  /** The node that leads a group and can be talked to, as far as is known here; -1 for none. */
  leaderOf(groupId: number): number {
    const { groups, leaders, isReachable } = this.#options;
    const group = groups.group(groupId);
    // A replica of its own knows better than what was heard.
    const inGroup = group?.leaderNodeId ?? -1;
    const leader = inGroup >= 0 ? inGroup : (leaders.leaderOf(groupId)?.nodeId ?? -1);
    return leader >= 0 && isReachable(leader) ? leader : -1;
  }

  /** Hands each group to the node that is wished, and tells what came of it in the order of the wishes. */
  async elect(wishes: readonly LeaderWish[], limitMs: number): Promise<ElectionOutcome[]> {
    const { clock } = this.#options;
    const deadlineMs = clock.monotonicMs() + limitMs;
    const outcomes = new Map<LeaderWish, ElectionOutcome>();
    for (let tries = 1; outcomes.size < wishes.length; tries++) {
      const leftMs = deadlineMs - clock.monotonicMs();
      const isLast = tries === triesMax || leftMs <= retryMs;
      const open = wishes.filter((wish) => !outcomes.has(wish));
      for (const [wish, outcome] of await this.#electOnce(open, leftMs)) {
        if (outcome !== "moved") outcomes.set(wish, outcome);
        else if (isLast) outcomes.set(wish, "notAvailable");
      }
      if (outcomes.size < wishes.length) await sleep(clock, retryMs);
    }
    await this.#hearOf(wishes.filter((wish) => outcomes.get(wish) === "elected"));
    return wishes.map((wish) => outcomes.get(wish) ?? "timedOut");
  }

  async #electOnce(wishes: readonly LeaderWish[], leftMs: number): Promise<Map<LeaderWish, HandOverOutcome>> {
    const outcomes = new Map<LeaderWish, HandOverOutcome>();
    const byLeader = new Map<number, LeaderWish[]>();
    for (const wish of wishes) {
      const leader = this.leaderOf(wish.groupId);
      if (leader === wish.nodeId) outcomes.set(wish, "notNeeded");
      else if (leader < 0) outcomes.set(wish, "moved");
      else byLeader.set(leader, [...(byLeader.get(leader) ?? []), wish]);
    }
    await Promise.all(
      [...byLeader].map(async ([leader, its]) => {
        const answers = await this.#handOverThere(leader, its, leftMs);
        for (const [at, wish] of its.entries()) outcomes.set(wish, answers[at] ?? "notAvailable");
      }),
    );
    return outcomes;
  }

  async #handOverThere(
    leader: number,
    wishes: readonly LeaderWish[],
    limitMs: number,
  ): Promise<readonly HandOverOutcome[]> {
    const { nodeId, calls } = this.#options;
    if (leader === nodeId) return await this.#handOverHere(wishes, limitMs);
    const payload = encodeJson({ wishes, limitMs } satisfies HandOverCall);
    const outcome = await calls?.call(leader, callName, payload, limitMs);
    switch (outcome?.kind) {
      case "answered":
        return decodeJson(outcome.payload) as HandOverOutcome[];
      case "lost":
        return wishes.map(() => "timedOut");
      case "failed":
        return wishes.map(() => "notAvailable");
      case "unsent":
      case undefined:
        return wishes.map(() => "moved");
      default:
        return outcome satisfies never;
    }
  }

  async #handOverHere(wishes: readonly LeaderWish[], limitMs: number): Promise<HandOverOutcome[]> {
    const deadlineMs = this.#options.clock.monotonicMs() + limitMs;
    const outcomes: HandOverOutcome[] = [];
    for (let from = 0; from < wishes.length; from += handOversMax) {
      const some = wishes.slice(from, from + handOversMax);
      outcomes.push(...(await Promise.all(some.map((wish) => this.#handOver(wish, deadlineMs)))));
    }
    return outcomes;
  }

  async #handOver(wish: LeaderWish, deadlineMs: number): Promise<HandOverOutcome> {
    const { nodeId, groups, isReachable, isFull, clock } = this.#options;
    if (clock.monotonicMs() >= deadlineMs) return "timedOut";
    const group = groups.group(wish.groupId);
    if (!group?.isSettledLeader) return "moved";
    if (wish.nodeId === nodeId) return "notNeeded";
    if (isFull?.(wish.nodeId)) return "notAvailable";
    if (!handOver(group, wish.nodeId, { nodeId, isReachable })) return "notAvailable";
    while (clock.monotonicMs() < deadlineMs) {
      await sleep(clock, pollMs);
      if (group.leaderNodeId === wish.nodeId) return "elected";
      if (hasGivenUp(group) || (group.leaderNodeId >= 0 && group.leaderNodeId !== nodeId))
        return "notAvailable";
    }
    return "timedOut";
  }

  /** Whoever is told of an election asks for the leaders next, and best hears of the new ones. */
  async #hearOf(wishes: readonly LeaderWish[]): Promise<void> {
    const { leaders, clock } = this.#options;
    const areHeardOf = () =>
      wishes.every(({ groupId, nodeId }) => leaders.leaderOf(groupId)?.nodeId === nodeId);
    await leaders.when(areHeardOf, clock, hearMsMax);
  }
}

interface HandOverCall {
  readonly wishes: readonly LeaderWish[];
  readonly limitMs: number;
}

/** Leads as before: the other did not take over within an election timeout. */
function hasGivenUp(group: RaftGroup): boolean {
  return group.isLeader && group.canPropose;
}
