import { strict as assert } from "node:assert";
import type { GroupState } from "./group-state.ts";
import type { Append, Heartbeat, Message, Snapshot } from "./messages.ts";
import type { ReplicaId } from "./replica-id.ts";
import { noReplica } from "./replica-id.ts";
import type { Role, Transitions } from "./role.ts";

/** Takes the leader's log over and watches that there is a leader. */
export class Follower implements Role {
  readonly name = "follower";
  readonly #state: GroupState;
  readonly #transitions: Transitions;
  #leader: ReplicaId;
  #silentTicks = 0;
  readonly #timeoutTicks: number;
  /** Silence after which it hurries, for as long as nobody is heard after the leader was lost. */
  #hurryTicks = Infinity;

  constructor(state: GroupState, transitions: Transitions, leader: ReplicaId) {
    this.#state = state;
    this.#transitions = transitions;
    this.#leader = leader;
    this.#timeoutTicks = state.electionTimeoutTicks();
  }

  get leader(): ReplicaId {
    return this.#leader;
  }

  get hasLease(): boolean {
    return this.#leader !== noReplica && this.#silentTicks < this.#state.electionTicks;
  }

  tick(): void {
    this.#silentTicks += 1;
    const timeoutTicks = Math.min(this.#timeoutTicks, this.#hurryTicks);
    if (this.#silentTicks < timeoutTicks + this.#state.reluctanceTicks()) return;
    if (!this.#state.canCampaign) return;
    this.#transitions.becomePreCandidate();
  }

  /** A vote was given: whom it was given to gets time to win. */
  gaveVote(): void {
    this.#silentTicks = 0;
  }

  /** The leader is known to be gone: others may have this vote, and soon this replica asks for theirs. */
  loseLeader(): void {
    this.#leader = noReplica;
    this.#hurryTicks = Math.min(this.#hurryTicks, this.#silentTicks + this.#state.hurriedTicks());
  }

  step(message: Message): void {
    switch (message.kind) {
      case "append":
        this.#hear(message.from);
        this.#append(message);
        break;
      case "heartbeat":
        this.#hear(message.from);
        this.#heartbeat(message);
        break;
      case "snapshot":
        this.#hear(message.from);
        this.#snapshot(message);
        break;
      case "timeoutNow":
        if (this.#state.canCampaign) this.#transitions.becomeCandidate({ isTransfer: true });
        break;
      case "readIndexAnswer":
        this.#state.reads.push({ context: message.context, index: message.index });
        break;
      default:
      // Answers to what an earlier role asked.
    }
  }

  #hear(leader: ReplicaId): void {
    // Two leaders in one term would end all that Raft promises.
    assert(this.#leader === noReplica || this.#leader === leader);
    this.#leader = leader;
    this.#silentTicks = 0;
    this.#hurryTicks = Infinity;
  }

  #append(append: Append): void {
    const { log } = this.#state;
    // The state is being replaced: what comes before or after it is of no use yet.
    if (this.#state.installing) return;
    if (append.previousIndex < log.commitIndex) {
      this.#accept(log.commitIndex);
      return;
    }
    if (!log.matches(append.previousIndex, append.previousTerm)) {
      this.#reject(append);
      return;
    }
    const lastIndex = this.#takeOver(append);
    this.#state.commitTo(Math.min(append.commitIndex, lastIndex));
    this.#accept(lastIndex);
  }

  /** Skips what is there already and truncates only where the logs really differ: an old append must not undo a newer one. */
  #takeOver({ entries, previousIndex }: Append): number {
    const { log } = this.#state;
    for (const entry of entries) {
      if (entry.index <= log.lastIndex) {
        if (log.matches(entry.index, entry.term)) continue;
        this.#state.truncateFrom(entry.index);
      }
      this.#state.append(entry);
    }
    return previousIndex + entries.length;
  }

  #accept(matchIndex: number): void {
    const { id, term } = this.#state;
    this.#state.sendDurably({ kind: "appendAccepted", from: id, to: this.#leader, term, matchIndex });
  }

  #reject({ previousIndex, previousTerm, from }: Append): void {
    const { id, term, log } = this.#state;
    const hintIndex = log.lastIndexWithTermUpTo(previousIndex, previousTerm);
    this.#state.send({
      kind: "appendRejected",
      from: id,
      to: from,
      term,
      rejectedIndex: previousIndex,
      hintIndex,
      hintTerm: log.termAt(hintIndex) ?? 0,
    });
  }

  #heartbeat({ from, commitIndex, readContext }: Heartbeat): void {
    const { id, term } = this.#state;
    if (!this.#state.installing) this.#state.commitTo(commitIndex);
    this.#state.send({ kind: "heartbeatAnswer", from: id, to: from, term, readContext });
  }

  #snapshot({ point }: Snapshot): void {
    const { log } = this.#state;
    if (this.#state.installing) return;
    if (point.index <= log.commitIndex) {
      this.#accept(log.commitIndex);
    } else if (log.matches(point.index, point.term)) {
      // The whole log up to there is the leader's.
      this.#state.commitTo(point.index);
      this.#accept(point.index);
    } else {
      this.#state.installing = point;
    }
  }
}
