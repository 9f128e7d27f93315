import { type Configuration, isVoter, members, votersOnly } from "#raft/core/configuration.ts";
import type { Entry } from "#raft/core/entry.ts";
import type { RaftOptions } from "#raft/core/group-state.ts";
import type { MembershipStep } from "#raft/core/membership.ts";
import type { Message, SnapshotPoint } from "#raft/core/messages.ts";
import type { Raft } from "#raft/core/raft.ts";
import type { Load, Ready, Write } from "#raft/core/ready.ts";
import { incarnationOf, nodeIdOf, type ReplicaId, replicaId } from "#raft/core/replica-id.ts";
import { ExploredDisk } from "./explored-disk.ts";
import { Invariants, Violation } from "./invariants.ts";
import type { Action, ActionKind, Plan } from "./plan.ts";
import { randomStream } from "./random.ts";

/** Makes a replica: the real core, or one with a bug in it. */
export type RaftFactory = (options: RaftOptions) => Raft;

/** Bugs of a host, and tricks on the core; none in an honest run. */
export interface HostFaults {
  /** Says `persisted` before anything is durable. */
  readonly persistsEarly?: boolean;
  /** Comes back from a crash without its vote. */
  readonly forgetsVote?: boolean;
  /** Comes back from a wiped disk under its old identity. */
  readonly keepsIdentity?: boolean;
  /** Comes back to a group that it has left in the term in which it left. */
  readonly rejoinsAtOnce?: boolean;
}

interface Node {
  readonly id: ReplicaId;
  raft: Raft | undefined;
  readonly disk: ExploredDisk;
  /** Handed out, not durable yet. */
  writes: Write[];
  /** Each with what the disk had when it was asked for. */
  loads: { load: Load; entries: readonly Entry[] }[];
  catchUps: ReplicaId[];
  install: SnapshotPoint | undefined;
  commitIndex: number;
  configuration: Configuration;
  /** Commit index of the whole group when a read was asked for, by the read's number. */
  reads: Map<number, number>;
}

const forLeaders: ReadonlySet<ActionKind> = new Set(["propose", "changeMembership", "transfer"]);
const networkMax = 96;
const noPayload = new Uint8Array(10);

/** A group with its disks and its network, in which anything may happen at any time. */
export class ExploredGroup {
  readonly #plan: Plan;
  readonly #factory: RaftFactory;
  readonly #faults: HostFaults;
  readonly #random: () => number;
  readonly #invariants = new Invariants();
  readonly #nodes: Node[] = [];
  readonly #byId = new Map<ReplicaId, Node>();
  readonly #network: Message[] = [];
  readonly #holds = (voter: ReplicaId, index: number, term: number): boolean =>
    this.#byId.get(voter)?.disk.holds(index, term) ?? false;
  readonly #lost = new Set<ReplicaId>();
  /** Replicas on one side of a partition; none: there is no partition. */
  #side = 0;
  #readCount = 0;

  constructor(plan: Plan, factory: RaftFactory, faults: HostFaults = {}) {
    this.#plan = plan;
    this.#factory = factory;
    this.#faults = faults;
    this.#random = randomStream(plan.seed ^ 0x5bd1e995);
    const ids = Array.from({ length: plan.voterCount }, (_, i) => i + 1);
    for (const id of ids) this.#add(id, votersOnly(ids));
    for (let i = 0; i < plan.spareCount; i++) this.#add(plan.voterCount + 1 + i, votersOnly([]));
    if (plan.headStart > 0) this.#headStart(plan.headStart);
  }

  /** How far the group got. */
  get commitIndex(): number {
    return this.#invariants.commitIndex;
  }

  /** @throws Violation, or what an assertion of the core throws */
  act({ kind, a, b }: Action): void {
    switch (kind) {
      case "deliver":
        if (this.#network.length > 0) this.#deliver(this.#takeMessage(a));
        break;
      case "deliverAll":
        this.#deliverAll();
        break;
      case "converse":
        this.#converse(b, 1 + (a % 4));
        break;
      case "partition":
        this.#side = b;
        break;
      case "heal":
        this.#side = 0;
        break;
      case "drop":
        if (this.#network.length > 0) this.#takeMessage(a);
        break;
      case "duplicate": {
        const message = this.#network[a % this.#network.length];
        if (message) this.#network.splice(b % this.#network.length, 0, message);
        break;
      }
      default:
        this.#actOn(this.#target(kind, a), { kind, a, b });
    }
  }

  /** Faults end: a leader must come up and commit something new, or the group is stuck. */
  settle(): void {
    this.#side = 0;
    for (const node of this.#nodes) if (!node.raft) this.#start(node);
    for (let round = 0; round < 120; round++) {
      for (const node of this.#nodes) this.#tick(node, 1);
      this.#quiet();
      const leader = this.#nodes.find((node) => node.raft?.isSettledLeader);
      if (round < 60 || !leader?.raft) continue;
      const entry = this.#propose(leader);
      this.#quiet();
      if (entry && leader.raft.commitIndex >= entry.index && this.#areAllThere(leader.raft)) return;
    }
    // Without a lost disk there may be no majority any more, nor while one waits for the vote of a replica that was made
    // a voter before it had learnt anything: hosts let replicas catch up first.
    const isMissing = (id: ReplicaId) => this.#lost.has(id) || this.#hasNoSay(id);
    if (this.#nodes.some(({ configuration }) => members(configuration).some(isMissing))) return;
    throw new Violation("liveness: no entry is committed everywhere though all are well");
  }

  #hasNoSay(id: ReplicaId): boolean {
    const raft = this.#byId.get(id)?.raft;
    if (!raft) return false;
    return raft.configuration.voters.length === 0 || (raft.termAt(raft.lastIndex) ?? 0) < raft.rejoinTerm;
  }

  /** Whom an action is about: a leader, where only leaders can do it and there is one. */
  #target(kind: ActionKind, choice: number): Node | undefined {
    const { length } = this.#nodes;
    if (forLeaders.has(kind)) {
      for (let i = 0; i < length; i++) {
        const node = this.#nodes[(choice + i) % length];
        if (node?.raft?.role === "leader") return node;
      }
    }
    return this.#nodes[choice % length];
  }

  #headStart(entryCount: number): void {
    const [node] = this.#nodes;
    if (!node) return;
    node.raft?.campaign();
    this.#pump(node);
    this.#quiet();
    for (let i = 1; i < entryCount; i++) this.#propose(node);
    this.#quiet();
  }

  #actOn(node: Node | undefined, { kind, a, b }: Action): void {
    if (!node) return;
    if (kind === "restart") {
      if (!node.raft) this.#start(node);
      return;
    }
    const { raft } = node;
    if (!raft) return;
    const other = this.#nodes[(b >>> 8) % this.#nodes.length]?.id ?? node.id;
    switch (kind) {
      case "tick":
        this.#tick(node, 1 + (b % 4));
        return;
      case "completeWrite":
        this.#completeWrite(node);
        break;
      case "completeWrites":
        for (const each of this.#nodes) {
          while (each.writes.length > 0) this.#completeWrite(each);
        }
        break;
      case "propose":
        this.#propose(node);
        break;
      case "crash":
        this.#crash(node, b);
        return;
      case "changeMembership":
        this.#changeMembership(raft, b);
        break;
      case "transfer":
        raft.transferTo(other);
        break;
      case "read":
        this.#read(node);
        break;
      case "campaign":
        raft.campaign();
        break;
      case "force":
        // What a leader sends that hands over: nobody waits for anybody's silence.
        raft.step({ kind: "timeoutNow", from: raft.leader, to: raft.id, term: raft.term });
        break;
      case "reign":
        // Elected by some, it gets an entry to some of them, as far as it comes.
        raft.step({ kind: "timeoutNow", from: raft.leader, to: raft.id, term: raft.term });
        this.#pump(node);
        this.#converse(b | (1 << nodeIdOf(node.id)), 1 + ((b >>> 12) % 4));
        this.#propose(node);
        this.#converse((b >>> 16) | (1 << nodeIdOf(node.id)), (b >>> 28) % 5);
        return;
      case "loseConnection":
        raft.lost(other);
        break;
      case "release":
        this.#release(node, raft, b);
        break;
      case "answerHost":
      case "failHost":
        this.#answerHost(node, { isFailing: kind === "failHost", a, b });
        break;
      case "wipe":
        if (node.disk.lastIndex > 0 && this.#canLose(node)) this.#wipe(node);
        return;
      case "leave":
        this.#leave(node, raft);
        return;
      case "giveUp":
        this.#giveUp(node, raft);
        break;
      default:
    }
    this.#pump(node);
  }

  #add(id: ReplicaId, configuration: Configuration): Node {
    const disk = new ExploredDisk(configuration);
    const node: Node = {
      id,
      raft: undefined,
      disk,
      writes: [],
      loads: [],
      catchUps: [],
      install: undefined,
      commitIndex: 0,
      configuration,
      reads: new Map(),
    };
    this.#nodes.push(node);
    this.#byId.set(id, node);
    this.#start(node);
    return node;
  }

  #start(node: Node): void {
    const { disk } = node;
    const raft = this.#factory({
      id: node.id,
      electionTicks: 4,
      heartbeatTicks: 1,
      electionJitter: (below) => this.#random() % below,
      limits: {
        appendBytesMax: this.#plan.appendBytesMax,
        inflight: { messagesMax: 3, bytesMax: 1_000 },
        recentBytesMax: this.#plan.recentBytesMax,
        loadBytesMax: 35,
        readsMax: 10,
      },
      hardState: disk.hardState,
      floor: disk.floor,
      configuration: disk.configuration,
      nextOffset: disk.nextOffset,
      rejoinTerm: disk.rejoinTerm,
      entries: disk.entries,
    });
    node.raft = raft;
    node.writes = [];
    node.loads = [];
    node.catchUps = [];
    node.install = undefined;
    node.reads.clear();
    node.commitIndex = raft.commitIndex;
    node.configuration = raft.configuration;
    this.#pump(node);
  }

  /** What was handed out and not completed is lost, from a random point on. */
  #crash(node: Node, choice: number): void {
    let kept = choice % (node.writes.length + 1);
    for (const write of node.writes) {
      if (kept === 0) {
        // A write that was cut in the middle: whole entries in front of the cut.
        if (choice & 64) node.disk.apply(write, (choice >>> 8) % (write.entries.length + 1));
        break;
      }
      node.disk.apply(write);
      kept -= 1;
    }
    if (this.#faults.forgetsVote) node.disk.hardState = { term: node.disk.hardState.term, votedFor: -1 };
    node.raft = undefined;
    node.writes = [];
  }

  #tick(node: Node, count: number): void {
    for (let i = 0; i < count && node.raft; i++) {
      node.raft.tick();
      this.#pump(node);
    }
  }

  #takeMessage(choice: number): Message {
    const index = this.#plan.isOrdered ? 0 : choice % this.#network.length;
    const [message] = this.#network.splice(index, 1);
    if (!message) throw new Error("The network is empty");
    return message;
  }

  #deliverAll(): void {
    for (let left = this.#network.length; left > 0; left--) this.#deliver(this.#takeMessage(0));
  }

  /** These replicas talk to each other while the others neither hear nor speak; a few turns, or to the end. */
  #converse(choice: number, rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      for (const node of this.#nodes) {
        if (!isIn(choice, node.id)) continue;
        while (node.writes.length > 0) this.#completeWrite(node);
      }
      for (let left = this.#network.length; left > 0; left--) {
        const message = this.#takeMessage(0);
        if (isIn(choice, message.to) && isIn(choice, message.from)) this.#deliver(message);
        else this.#network.push(message);
      }
    }
  }

  #deliver(message: Message): void {
    const node = this.#byId.get(message.to);
    if (!node?.raft) return;
    // The network is in two parts.
    if (isIn(this.#side, message.to) !== isIn(this.#side, message.from)) return;
    const { term } = node.raft;
    node.raft.step(message);
    if (message.kind === "vote" && message.preVote && node.raft.term !== term) {
      throw new Violation(`PreVote changed the term of ${node.id}`);
    }
    this.#pump(node);
  }

  /** Until nothing moves without time passing. */
  #quiet(): void {
    for (let round = 0; round < 200; round++) {
      for (const node of this.#nodes) {
        while (node.writes.length > 0) this.#completeWrite(node);
        while (node.loads.length + node.catchUps.length > 0 || node.install) {
          this.#answerHost(node, { isFailing: false, a: 0, b: 0 });
          this.#pump(node);
        }
      }
      if (this.#network.length === 0) return;
      this.#deliverAll();
    }
    throw new Violation("liveness: messages go on for ever");
  }

  #areAllThere(leader: Raft): boolean {
    return members(leader.configuration).every((id) => {
      const raft = this.#byId.get(id)?.raft;
      return !raft || (raft.commitIndex === leader.commitIndex && raft.appliedIndex === leader.commitIndex);
    });
  }

  #completeWrite(node: Node): void {
    const write = node.writes.shift();
    if (!write || !node.raft) return;
    node.disk.apply(write);
    if (this.#faults.persistsEarly) return;
    node.raft.persisted(write.token);
    this.#pump(node);
  }

  #propose(node: Node): { index: number } | undefined {
    const { raft } = node;
    if (!raft) return undefined;
    const entry = raft.propose({
      kind: "data",
      baseOffset: raft.nextOffset,
      offsetCount: 1 + (this.#random() % 3),
      payload: noPayload,
    });
    this.#pump(node);
    return entry;
  }

  #changeMembership(raft: Raft, choice: number): void {
    if (choice % 5 === 0) {
      raft.changeMembership({ kind: "leave" });
      return;
    }
    const steps: MembershipStep[] = [];
    let bits = choice >>> 3;
    for (let left = 1 + (choice % 3); left > 0; left--) {
      const replica = this.#nodes[bits % this.#nodes.length]?.id ?? 1;
      const kind =
        (["addVoter", "addVoter", "addLearner", "remove"] as const)[(bits >>> 4) % 4] ?? "addVoter";
      steps.push({ kind, replica });
      bits >>>= 6;
    }
    const kind = (["auto", "joint", "explicit"] as const)[bits % 3] ?? "auto";
    raft.changeMembership({ kind, steps });
  }

  #read(node: Node): void {
    this.#readCount += 1;
    if (node.raft?.read(this.#readCount)) node.reads.set(this.#readCount, this.#invariants.commitIndex);
  }

  #release(node: Node, raft: Raft, choice: number): void {
    const floor = raft.releaseThroughIndex(raft.appliedIndex - (choice % 3));
    if (floor) node.disk.release(raft.pointAt(floor.index));
  }

  #answerHost(node: Node, { isFailing, a, b }: { isFailing: boolean; a: number; b: number }): void {
    const { raft } = node;
    if (!raft) return;
    const reading = node.loads.shift();
    if (reading) {
      const { load, entries } = reading;
      // A disk is read some time between question and answer.
      const isReadEarly = (b & 4) !== 0;
      raft.loaded(load, (isReadEarly ? entries : node.disk.read(load)).slice(0, 1 + (b % 4)));
      return;
    }
    const replica = node.catchUps.shift();
    if (replica !== undefined) {
      if (isFailing) raft.catchUpFailed(replica);
      else
        raft.sendSnapshot(
          replica,
          raft.pointAt(raft.appliedIndex - (a % 2) * (raft.appliedIndex - raft.floor.index)),
        );
      return;
    }
    if (!node.install) return;
    const point = node.install;
    node.install = undefined;
    if (isFailing) {
      raft.installFailed();
      return;
    }
    node.disk.install(point);
    node.writes = node.writes.map((write) => ({ ...write, entries: [] }));
    node.commitIndex = point.index;
    raft.installed();
    if (`${members(raft.configuration)}` !== `${members(point.configuration)}`) {
      throw new Violation(`${node.id} has installed another configuration than ${point.index} has`);
    }
  }

  /** Losing a disk loses nothing that is promised only where a majority keeps it all the same. */
  #canLose(node: Node): boolean {
    if (incarnationOf(node.id) > 0 || this.#plan.voterCount < 5) return false;
    return this.#nodes.every((each) => incarnationOf(each.id) === 0);
  }

  #wipe(node: Node): void {
    node.raft = undefined;
    const incarnation = this.#faults.keepsIdentity ? 0 : 1;
    const id = replicaId({ nodeId: nodeIdOf(node.id), incarnation });
    const index = this.#nodes.indexOf(node);
    // Nobody answers under the old identity any more; what it promised was true when it was promised.
    this.#lost.add(node.id);
    const replacement = this.#add(id, this.#faults.keepsIdentity ? node.disk.configuration : votersOnly([]));
    this.#nodes.pop();
    this.#nodes[index] = replacement;
  }

  /**
   * One step of a replica's way out of the group and back. It forgets its log as hosts do: where the configuration without
   * it is in a leader's log twice, and it has nothing of what came after.
   */
  #leave(node: Node, raft: Raft): void {
    for (const leading of this.#nodes) {
      const leader = leading.raft;
      if (!leader?.isSettledLeader || leading === node) continue;
      const isMember = members(leader.configuration).includes(node.id);
      const isGone = !isMember && raft.lastIndex === 0;
      if (isMember || isGone || leader.configurationProof !== "repeated") {
        const replica = node.id;
        const steps = isMember
          ? [{ kind: isVoter(leader.configuration, replica) ? "remove" : "addVoter", replica } as const]
          : [{ kind: "addLearner", replica } as const];
        leader.changeMembership({ kind: "auto", steps: isMember || isGone ? steps : [] });
        this.#pump(leading);
        continue;
      }
      const { commitIndex } = leader;
      const isBack =
        raft.floor.index >= commitIndex || raft.termAt(commitIndex) === leader.termAt(commitIndex);
      if (isBack) continue;
      const rejoinTerm = this.#faults.rejoinsAtOnce ? 0 : raft.term + 1;
      node.disk.forget(rejoinTerm, Math.max(raft.term, rejoinTerm));
      this.#start(node);
      return;
    }
  }

  /** The disk refuses what it was handed and has not begun to write. */
  #giveUp(node: Node, raft: Raft): void {
    const first = node.writes.flatMap(({ entries }) => entries)[0];
    if (!first || !raft.canDiscard) return;
    const end = raft.discardFrom(first.index);
    node.writes = node.writes.map((write) => ({
      ...write,
      entries: write.entries.filter(({ index }) => index < end),
    }));
  }

  #pump(node: Node): void {
    const { raft } = node;
    if (!raft) return;
    for (let ready = raft.ready(); ready; ready = raft.ready()) {
      if (raft.role === "leader") this.#invariants.leads(raft);
      this.#take(node, raft, ready);
    }
    if (raft.role === "leader") this.#invariants.leads(raft);
    if (raft.commitIndex > node.commitIndex) {
      this.#invariants.committedTo(raft, node.commitIndex, this.#holds, [
        node.configuration,
        raft.configuration,
      ]);
      node.commitIndex = raft.commitIndex;
    } else if (raft.commitIndex < node.commitIndex) {
      throw new Violation(`${node.id} has forgotten what is committed`);
    }
    node.configuration = raft.configuration;
  }

  #take(node: Node, raft: Raft, ready: Ready): void {
    for (const message of ready.messages) {
      this.#invariants.sends(raft, message, node.disk);
      if (this.#network.length < networkMax) this.#network.push(message);
    }
    if (ready.write) {
      this.#invariants.logged(raft, ready.write.entries);
      if (this.#plan.isDiskFast && !this.#faults.persistsEarly) {
        node.disk.apply(ready.write);
        raft.persisted(ready.write.token);
      } else {
        node.writes.push(ready.write);
        if (this.#faults.persistsEarly) raft.persisted(ready.write.token);
      }
    }
    this.#invariants.applied(raft, ready.committed);
    const last = ready.committed.at(-1);
    if (last) raft.applied(last.index);
    for (const load of ready.loads) node.loads.push({ load, entries: node.disk.read(load) });
    for (const replica of ready.catchUps) node.catchUps.push(replica);
    if (ready.install) node.install = ready.install;
    for (const { context, index } of ready.reads) {
      if (index < (node.reads.get(context) ?? 0)) throw new Violation(`${node.id} reads something stale`);
    }
  }
}

/** Whether a set given as bits has a replica, by its node. */
function isIn(set: number, replica: ReplicaId): boolean {
  return (set & (1 << nodeIdOf(replica))) !== 0;
}
