import type { CancelTimer } from "../../runtime/clock.ts";
import type { JoinGroupAnswer, SyncGroupAnswer } from "./group-answers.ts";

/** One assignment strategy that a member offers, with its opaque metadata. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

export interface MemberIdentity {
  readonly memberId: string;
  /** KIP-345: the name that a static member keeps across restarts, else null. */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
}

export interface MemberTimeouts {
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
}

/** A member of a classic group and the one JoinGroup or SyncGroup request that it may have parked here. */
export class GroupMember {
  /** Changes when a static member comes back under a new id. */
  memberId: string;
  readonly groupInstanceId: string | null;
  clientId: string;
  clientHost: string;
  timeouts: MemberTimeouts;
  /** In the member's order of preference. */
  protocols: readonly MemberProtocol[];
  assignment: Uint8Array = new Uint8Array(0);
  /** True until its first JoinGroup is answered: until then it cannot heartbeat, for it does not know its id. */
  isNew = false;
  /** Ends the running session or join timer. */
  cancelSession: CancelTimer | null = null;
  #join: ((response: JoinGroupAnswer) => void) | null = null;
  #sync: ((response: SyncGroupAnswer) => void) | null = null;

  constructor(identity: MemberIdentity, timeouts: MemberTimeouts, protocols: readonly MemberProtocol[]) {
    this.memberId = identity.memberId;
    this.groupInstanceId = identity.groupInstanceId;
    this.clientId = identity.clientId;
    this.clientHost = identity.clientHost;
    this.timeouts = timeouts;
    this.protocols = protocols;
  }

  get isStatic(): boolean {
    return this.groupInstanceId !== null;
  }

  get isAwaitingJoin(): boolean {
    return this.#join !== null;
  }

  get isAwaitingSync(): boolean {
    return this.#sync !== null;
  }

  get protocolNames(): ReadonlySet<string> {
    return new Set(this.protocols.map((protocol) => protocol.name));
  }

  /** Parks a JoinGroup; one that is parked already must have been answered. */
  parkJoin(answer: (response: JoinGroupAnswer) => void): void {
    this.#join = answer;
  }

  parkSync(answer: (response: SyncGroupAnswer) => void): void {
    this.#sync = answer;
  }

  /** Answers the parked JoinGroup, if there is one, and says whether there was. */
  answerJoin(response: JoinGroupAnswer): boolean {
    const answer = this.#join;
    this.#join = null;
    answer?.(response);
    return answer !== null;
  }

  answerSync(response: SyncGroupAnswer): boolean {
    const answer = this.#sync;
    this.#sync = null;
    answer?.(response);
    return answer !== null;
  }

  metadataFor(protocolName: string | null): Uint8Array {
    const protocol = this.protocols.find((candidate) => candidate.name === protocolName);
    return protocol?.metadata ?? new Uint8Array(0);
  }

  /** Its most preferred protocol of the candidates. */
  voteFor(candidates: ReadonlySet<string>): string | undefined {
    return this.protocols.find((protocol) => candidates.has(protocol.name))?.name;
  }

  /** Whether it offers exactly these protocols with these bytes, in this order. */
  offersSame(protocols: readonly MemberProtocol[]): boolean {
    return (
      this.protocols.length === protocols.length &&
      this.protocols.every((own, index) => {
        const other = protocols[index];
        return other !== undefined && own.name === other.name && sameBytes(own.metadata, other.metadata);
      })
    );
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
