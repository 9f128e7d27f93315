import { Buffer } from "node:buffer";
import { ErrorCode } from "#protocol/error-codes.ts";
import { type GroupWorld, type Joined, type Pending, type Synced, subscription } from "./group-world.ts";

/** What the consumers of a run leave for its invariants. */
export interface RunRecord {
  readonly requests: Pending<Joined | Synced>[];
  /** Successful answers of JoinGroup, in the order of being given. */
  readonly generations: Joined[];
}

/** A well-behaved consumer of group "g", one request at a time, as clients are. */
export class SimulatedConsumer {
  readonly groupInstanceId: string | null;
  readonly #world: GroupWorld;
  readonly #record: RunRecord;
  readonly #version: number;
  #memberId = "";
  #generationId = -1;
  #phase: "outside" | "joined" | "stable" | "fenced" = "outside";
  #join: Pending<Joined> | null = null;
  #sync: Pending<Synced> | null = null;
  #joined: Joined | null = null;
  #assignment: Uint8Array | null = null;
  #topic = "orders";

  constructor(
    world: GroupWorld,
    record: RunRecord,
    { version, groupInstanceId }: { version: number; groupInstanceId: string | null },
  ) {
    this.#world = world;
    this.#record = record;
    this.#version = version;
    this.groupInstanceId = groupInstanceId;
  }

  get memberId(): string {
    return this.#memberId;
  }

  get generationId(): number {
    return this.#generationId;
  }

  get isStable(): boolean {
    return this.#phase === "stable";
  }

  get isFenced(): boolean {
    return this.#phase === "fenced";
  }

  get assignment(): Uint8Array | null {
    return this.#assignment;
  }

  /** Does the next thing that a consumer would do. */
  async step(): Promise<void> {
    if (this.#join) this.#takeJoinAnswer(this.#join);
    else if (this.#sync) this.#takeSyncAnswer(this.#sync);
    else if (this.#phase === "outside") await this.#sendJoin();
    else if (this.#phase === "joined") await this.#sendSync();
    else if (this.#phase === "stable") this.#heartbeat();
  }

  /** Subscribes to something else, which makes it rejoin. */
  changeTopic(): void {
    this.#topic = this.#topic === "orders" ? "events" : "orders";
    if (this.#phase === "stable") this.#phase = "outside";
  }

  /** Gives up waiting, as after a lost connection, and asks again. */
  loseConnection(): void {
    this.#join = null;
    if (this.#sync) this.#phase = "outside";
    this.#sync = null;
  }

  async leave(): Promise<void> {
    const { groupInstanceId } = this;
    if (this.#memberId !== "") {
      await this.#world.leave({ members: [{ memberId: this.#memberId, groupInstanceId }] });
    }
    this.#expel();
    this.loseConnection();
  }

  async #sendJoin(): Promise<void> {
    const input = {
      memberId: this.#memberId,
      protocols: [{ name: "range", metadata: subscription(this.#topic) }],
      ...(this.#version >= 5 ? { groupInstanceId: this.groupInstanceId } : {}),
    };
    this.#join = await this.#world.join(input, { version: this.#version });
    this.#record.requests.push(this.#join);
    void this.#note(this.#join);
  }

  /** Records a generation at the moment it is told, whether or not the consumer is still there to hear. */
  async #note(join: Pending<Joined>): Promise<void> {
    await join.settled;
    if (join.answer.errorCode === ErrorCode.none) this.#record.generations.push(join.answer);
  }

  #takeJoinAnswer(pending: Pending<Joined>): void {
    if (!pending.isAnswered) return;
    this.#join = null;
    const { answer } = pending;
    switch (answer.errorCode) {
      case ErrorCode.none:
        this.#memberId = answer.memberId;
        this.#generationId = answer.generationId;
        this.#joined = answer;
        this.#phase = "joined";
        break;
      case ErrorCode.memberIdRequired:
        this.#memberId = answer.memberId;
        break;
      case ErrorCode.unknownMemberId:
        this.#expel();
        break;
      case ErrorCode.fencedInstanceId:
        this.#phase = "fenced";
        break;
      case ErrorCode.rebalanceInProgress:
      case ErrorCode.coordinatorNotAvailable:
        break;
      default:
        throw new Error(`Cannot go on after join: error ${answer.errorCode}`);
    }
  }

  async #sendSync(): Promise<void> {
    const isLeader = this.#joined?.leader === this.#memberId && !this.#joined.skipAssignment;
    const members = isLeader ? (this.#joined?.members ?? []) : [];
    const assignments = members.map(({ memberId }) => ({
      memberId,
      assignment: Buffer.from(`${memberId}@${this.#generationId}`),
    }));
    this.#sync = await this.#world.sync({
      memberId: this.#memberId,
      groupInstanceId: this.groupInstanceId,
      generationId: this.#generationId,
      assignments,
    });
    this.#record.requests.push(this.#sync);
  }

  #takeSyncAnswer(pending: Pending<Synced>): void {
    if (!pending.isAnswered) return;
    this.#sync = null;
    const { errorCode, assignment } = pending.answer;
    this.#assignment = assignment;
    this.#act(errorCode, "stable");
  }

  #heartbeat(): void {
    const { groupInstanceId } = this;
    const { memberId, generationId } = this;
    this.#act(this.#world.heartbeat({ memberId, generationId, groupInstanceId }), "stable");
  }

  #act(errorCode: number, success: "stable"): void {
    switch (errorCode) {
      case ErrorCode.none:
        this.#phase = success;
        break;
      case ErrorCode.unknownMemberId:
        this.#expel();
        break;
      case ErrorCode.fencedInstanceId:
        this.#phase = "fenced";
        break;
      case ErrorCode.rebalanceInProgress:
      case ErrorCode.illegalGeneration:
      case ErrorCode.coordinatorNotAvailable:
        this.#phase = "outside";
        break;
      default:
        throw new Error(`Cannot go on: error ${errorCode}`);
    }
  }

  #expel(): void {
    this.#memberId = "";
    this.#generationId = -1;
    this.#phase = "outside";
  }
}
