import { type Configuration, members } from "#raft/core/configuration.ts";
import type { Entry } from "#raft/core/entry.ts";
import type { Message, SnapshotPoint } from "#raft/core/messages.ts";
import { Raft } from "#raft/core/raft.ts";
import type { Load, Ready, Write } from "#raft/core/ready.ts";
import type { ReplicaId } from "#raft/core/replica-id.ts";
import { describeConfiguration, describeEntries, describePoint } from "./describe.ts";

/** How the nodes of a scenario are made. */
export interface ScenarioNodeOptions {
  readonly id: ReplicaId;
  readonly configuration: Configuration;
  /** The log begins behind this entry, of term 1. */
  readonly floorIndex: number;
  readonly inflightMax: number;
  /** Writes complete only when the scenario says so. */
  readonly isDiskManual: boolean;
  /** Catch-ups and installs wait for the scenario. */
  readonly isCatchUpManual: boolean;
}

/** One replica of a scenario with the simplest of hosts. */
export class ScenarioNode {
  readonly raft: Raft;
  readonly #options: ScenarioNodeOptions;
  readonly #stored: Entry[] = [];
  readonly writes: Write[] = [];
  readonly catchUps: ReplicaId[] = [];
  install: SnapshotPoint | undefined;
  #configuration: string;

  constructor(options: ScenarioNodeOptions) {
    this.#options = options;
    const { id, configuration, floorIndex, inflightMax } = options;
    this.raft = new Raft({
      id,
      configuration,
      electionTicks: 3,
      heartbeatTicks: 1,
      // A lease ends after 3 ticks, a follower's patience after 5.
      electionJitter: (below) => below - 1,
      limits: {
        appendBytesMax: 1_000,
        inflight: { messagesMax: inflightMax, bytesMax: 1_000_000 },
        recentBytesMax: 1_000_000,
        loadBytesMax: 1_000,
        readsMax: 10,
      },
      floor: { index: floorIndex, term: floorIndex > 0 ? 1 : 0 },
      hardState: { term: floorIndex > 0 ? 1 : 0, votedFor: -1 },
    });
    this.#configuration = describeConfiguration(configuration);
  }

  get id(): ReplicaId {
    return this.raft.id;
  }

  get hasWork(): boolean {
    if (this.raft.hasReady) return true;
    if (this.#options.isCatchUpManual) return false;
    return this.catchUps.length > 0 || this.install !== undefined;
  }

  /** Does what the replica wants once; answers what it wanted in words, and its messages. */
  handleReady(): { lines: string[]; messages: readonly Message[] } {
    const lines: string[] = [];
    if (!this.#options.isCatchUpManual) {
      lines.push(...this.sendSnapshots());
      lines.push(...this.finishInstall());
    }
    const ready = this.raft.ready();
    if (!ready) return { lines, messages: [] };
    this.#handle(ready, lines);
    return { lines, messages: ready.messages };
  }

  /** The oldest write reaches the disk. */
  completeWrite(): string {
    const write = this.writes.shift();
    if (!write) return "nothing to write";
    this.#store(write);
    this.raft.persisted(write.token);
    return `durable: ${describeWrite(write)}`;
  }

  /** Answers catch-ups with where the state machine stands. */
  sendSnapshots(): string[] {
    const lines: string[] = [];
    for (const replica of this.catchUps.splice(0)) {
      const point = this.raft.pointAt(this.raft.appliedIndex);
      this.raft.sendSnapshot(replica, point);
      lines.push(`brings ${replica} to ${describePoint(point)}`);
    }
    return lines;
  }

  finishInstall(): string[] {
    if (!this.install) return [];
    const point = this.install;
    this.install = undefined;
    this.raft.installed();
    return [`installed ${describePoint(point)}`, ...this.#configurationNews()];
  }

  /** `term` of every entry, runs in short: what the log looks like from outside. */
  describeLog(): string {
    const { raft } = this;
    const lines = [`floor ${raft.floor.term}/${raft.floor.index}`];
    for (let index = raft.floor.index + 1; index <= raft.lastIndex; index++) {
      const flags = [
        index <= raft.commitIndex ? "committed" : "",
        index > raft.persistedIndex ? "not durable" : "",
      ];
      lines.push([`${raft.termAt(index)}/${index}`, ...flags.filter((flag) => flag !== "")].join(" "));
    }
    return lines.join("\n");
  }

  #handle(ready: Ready, lines: string[]): void {
    if (ready.leadership) {
      const { role, term, leader } = ready.leadership;
      lines.push(`${role} term=${term} leader=${leader < 0 ? "none" : leader}`);
    }
    if (ready.write) {
      lines.push(`writes ${describeWrite(ready.write)}`);
      if (this.#options.isDiskManual) {
        this.writes.push(ready.write);
      } else {
        this.#store(ready.write);
        this.raft.persisted(ready.write.token);
      }
    }
    if (ready.committed.length > 0) lines.push(`applies ${describeEntries(ready.committed)}`);
    const last = ready.committed.at(-1);
    if (last) this.raft.applied(last.index);
    for (const load of ready.loads) this.#load(load);
    for (const replica of ready.catchUps) {
      lines.push(`cannot bring ${replica} on from the log`);
      this.catchUps.push(replica);
    }
    if (ready.install) {
      lines.push(`is to install ${describePoint(ready.install)}`);
      this.install = ready.install;
    }
    for (const { context, index } of ready.reads) lines.push(`reads context=${context} at ${index}`);
    lines.push(...this.#configurationNews());
  }

  #configurationNews(): string[] {
    const configuration = describeConfiguration(this.raft.configuration);
    if (configuration === this.#configuration) return [];
    this.#configuration = configuration;
    return [`configuration ${configuration}`];
  }

  #store({ entries }: Write): void {
    const [first] = entries;
    if (!first) return;
    while ((this.#stored.at(-1)?.index ?? -1) >= first.index) this.#stored.pop();
    this.#stored.push(...entries);
  }

  #load(load: Load): void {
    const entries = this.#stored.filter(({ index }) => index >= load.firstIndex && index <= load.lastIndex);
    this.raft.loaded(load, entries);
  }

  /** Whether a message for `id` could matter to this node. */
  knows(id: ReplicaId): boolean {
    return members(this.raft.configuration).includes(id);
  }
}

function describeWrite({ hardState, entries }: Write): string {
  const parts: string[] = [];
  if (hardState)
    parts.push(`term=${hardState.term} vote=${hardState.votedFor < 0 ? "none" : hardState.votedFor}`);
  if (entries.length > 0) parts.push(describeEntries(entries));
  return parts.join(" ");
}
