import { compress, decompress } from "#protocol/compression/compression.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import type { FileSystem } from "#storage/io/file.ts";
import { AcknowledgedEnds } from "./clients/acknowledged-ends.ts";
import { readConfig, readTopicExistence, SimulatedAdmin } from "./clients/admin.ts";
import { expectNone, Unanswered } from "./clients/client-connection.ts";
import { ClusterClient, type TopicPartition } from "./clients/cluster-client.ts";
import { finalReaderName, readEverything } from "./clients/final-reader.ts";
import { SimulatedGroupMember } from "./clients/group-member.ts";
import { SimulatedProducer } from "./clients/producer.ts";
import { type Reading, SimulatedReader } from "./clients/reader.ts";
import { Trims } from "./clients/trims.ts";
import { CommittedEnds } from "./cluster/committed-ends.ts";
import { CommittedWrites } from "./cluster/committed-writes.ts";
import { areReplicasLevel, compareProducers, compareReplicas } from "./cluster/compare-replicas.ts";
import { Leaderships } from "./cluster/leaderships.ts";
import {
  disableNodes,
  disturbances,
  isCalm,
  ledTermsOf,
  placesOf,
  probeTasks,
  termsOf,
} from "./cluster/majority.ts";
import { type Mark, Marks } from "./cluster/marks.ts";
import { SimulatedNode, wallStartMs } from "./cluster/node.ts";
import { brokerPort, nodeConfig } from "./cluster/node-config.ts";
import type { Violation } from "./cluster/violation.ts";
import { checkHistory } from "./history/checker.ts";
import type { Operation } from "./history/operation.ts";
import { Recorder } from "./history/recorder.ts";
import { applyFault, type FaultTargets, type Heal } from "./plan/apply-fault.ts";
import type { Fault } from "./plan/fault.ts";
import type { ClientPlan, Plan, TopicPlan } from "./plan/plan.ts";
import { SimulatedClock } from "./world/clock.ts";
import { SimulatedDisk } from "./world/disk.ts";
import { Links } from "./world/links.ts";
import { MemoryPool } from "./world/memory-pool.ts";
import { SimulatedNetwork } from "./world/network.ts";
import { SimulatedProcess } from "./world/process.ts";
import { RandomStreams } from "./world/random.ts";
import { Scheduler } from "./world/scheduler.ts";
import { Trace } from "./world/trace.ts";
import { Tripwires } from "./world/tripwires.ts";

export interface SimulationOptions {
  /** Lines of the brokers' logs, with the virtual time. */
  readonly onLogLine?: (line: string) => void;
  /** Puts a bug between the brokers and their disks. */
  readonly wrapFiles?: (files: FileSystem) => FileSystem;
  /** Looks inside for rare states and for what must not be; calls come during the run. */
  readonly observe?: (watched: Watched) => Disposable;
}

/** Whom a look inside tells what it sees. */
export interface Watched {
  readonly marks: Marks;
  /** Told of all that is applied. */
  readonly committedEnds: CommittedEnds;
  readonly committedWrites: CommittedWrites;
  readonly onViolation: (violation: Violation) => void;
}

/** What one run has shown. */
export interface Report {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly marks: ReadonlySet<Mark>;
  readonly events: number;
  readonly virtualMs: number;
  readonly operations: number;
  /** Equal for equal runs. */
  readonly traceHash: string;
  readonly history: readonly Operation[];
}

/** A client of any kind, as the phases of a run see it. */
interface Client {
  readonly plan: ClientPlan;
  readonly isIdle: boolean;
  /** Whether a producer has sent all that it is to send. */
  readonly hasDoneAll: boolean;
  /** What it is to have read in the end, if anything. */
  readonly reading: Reading | undefined;
  start(): void;
  /** Begins nothing new. */
  stop(): void;
}

const codecs = ["gzip", "snappy", "lz4", "zstd"] as const;
/** Virtual time that a cluster may take to come up and make its topics. */
const setupUsMax = 60_000_000;
/** Virtual time in which a node that came back would have disturbed the others. */
const settleUs = 3_000_000;
/** Violations after which a run says no more: the first ones tell. */
const violationsMax = 20;
const memory = new MemoryPool();

/** Runs a plan from its start to the judgement of its history. One run at a time in a process. */
export async function simulate(plan: Plan, options: SimulationOptions = {}): Promise<Report> {
  loadCodecs();
  using simulation = new Simulation(plan, options);
  return await simulation.run();
}

class Simulation implements Disposable {
  readonly #plan: Plan;
  readonly #options: SimulationOptions;
  readonly #violations: Violation[] = [];
  readonly #trace = new Trace();
  readonly #marks = new Marks();
  readonly #trims = new Trims();
  readonly #committedEnds = new CommittedEnds();
  readonly #committedWrites = new CommittedWrites();
  readonly #ends = new AcknowledgedEnds(this.#committedEnds, (violation) => this.#violate(violation));
  readonly #streams: RandomStreams;
  readonly #tripwires: Tripwires;
  readonly #scheduler: Scheduler;
  readonly #network: SimulatedNetwork;
  readonly #recorder: Recorder;
  readonly #nodes = new Map<string, SimulatedNode>();
  readonly #leaderships = new Leaderships();
  readonly #observer: Disposable | undefined;
  readonly #onRejection = (error: unknown): void => this.#thrown(error, "promise");
  #lastValue = 0;

  constructor(plan: Plan, options: SimulationOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#streams = new RandomStreams(plan.seed);
    this.#tripwires = new Tripwires((error) =>
      this.#violate({ kind: "tripwire", details: error.stack ?? "" }),
    );
    this.#scheduler = new Scheduler({
      trace: this.#trace,
      tripwires: this.#tripwires,
      onThrow: (error, label) => this.#thrown(error, label),
    });
    this.#network = new SimulatedNetwork({
      scheduler: this.#scheduler,
      links: new Links(plan.links, this.#streams.stream("links")),
      trace: this.#trace,
      random: this.#streams.stream("network"),
    });
    this.#recorder = new Recorder(() => this.#scheduler.nowUs);
    this.#observer = options.observe?.({
      marks: this.#marks,
      committedEnds: this.#committedEnds,
      committedWrites: this.#committedWrites,
      onViolation: (violation) => this.#violate(violation),
    });
    for (const host of plan.hosts) this.#nodes.set(host, this.#newNode(host));
    process.on("unhandledRejection", this.#onRejection);
  }

  [Symbol.dispose](): void {
    process.off("unhandledRejection", this.#onRejection);
    this.#observer?.[Symbol.dispose]();
    this.#leaderships[Symbol.dispose]();
    this.#tripwires[Symbol.dispose]();
  }

  async run(): Promise<Report> {
    const isComplete =
      (await this.#setUp()) &&
      (await this.#beSafe()) &&
      (await this.#goOnWithMajority()) &&
      (await this.#beLive()) &&
      (await this.#readAll()) &&
      (await this.#compareReplicas());
    const history = this.#recorder.history();
    this.#judge(history, isComplete);
    await this.#shutDown();
    return {
      seed: this.#plan.seed,
      violations: this.#violations,
      marks: this.#marks.reached,
      events: this.#scheduler.events,
      virtualMs: Math.round(this.#scheduler.nowUs / 1_000),
      operations: history.length,
      traceHash: this.#hash(),
      history,
    };
  }

  /** Starts all nodes and makes the topics. */
  async #setUp(): Promise<boolean> {
    for (const node of this.#nodes.values()) node.start();
    const isUp = await this.#until("all nodes serve", () => this.#isServing);
    if (!isUp) return false;
    const client = this.#newClient("setup");
    const made = this.#within(setupUsMax, "setup", async () => {
      for (const topic of this.#plan.topics) {
        await client.persist(
          async () => {
            const configs = Object.entries(topic.configs).map(([name, value]) => ({ name, value }));
            const spec = {
              name: topic.name,
              numPartitions: topic.partitions,
              replicationFactor: -1,
              assignments: [],
            };
            const answer = await client.ask(
              CreateTopics,
              { topics: [{ ...spec, configs }], timeoutMs: 5_000 },
              { min: 4 },
            );
            const errorCode = answer.topics[0]?.errorCode ?? ErrorCode.unknownServerError;
            // Not every node has heard of every other yet.
            if (errorCode === ErrorCode.invalidReplicationFactor) throw new Unanswered("refused");
            if (errorCode !== ErrorCode.topicAlreadyExists) expectNone(errorCode);
          },
          () => false,
        );
      }
      client.close();
    });
    return await made;
  }

  /** The phase of faults: anything may go wrong, nothing may be lost. */
  async #beSafe(): Promise<boolean> {
    const startUs = this.#scheduler.nowUs;
    const clients = this.#plan.clients.map((client) => this.#clientOf(client));
    const healing = new Set<Heal>();
    for (const fault of this.#plan.faults) this.#scheduleFault(fault, healing);
    for (const client of clients) client.start();
    const endUs = startUs + this.#plan.safetyMs * 1_000;
    await this.#scheduler.run(() => this.#scheduler.nowUs >= endUs || this.#isHopeless);
    for (const heal of healing) heal();
    this.#clients = clients;
    return !this.#isHopeless;
  }

  #clients: readonly Client[] = [];

  /** A majority is well, the others are not: all partitions must take batches, and nobody is disturbed by who comes back. */
  async #goOnWithMajority(): Promise<boolean> {
    const { majority, topics, clients } = this.#plan;
    if (!majority) return true;
    const nodes = [...this.#nodes.values()];
    const others = nodes.filter(({ host }) => majority.others.includes(host));
    const well = nodes.filter((node) => !others.includes(node));
    const far = [...well, ...(majority.withClients ? clients.map(({ name }) => ({ host: name })) : [])];
    const terms = termsOf(others);
    const heal = disableNodes(others, {
      state: majority.state,
      far: far.map(({ host }) => host),
      links: this.#network.links,
    });
    const isLive = await this.#probe(well, topics);
    const before = { led: ledTermsOf(well), places: placesOf(nodes) };
    heal();
    if (!isLive || !isCalm(this.#plan)) return isLive;
    const areBack = await this.#until("the others are back", () => {
      this.#startDownNodes();
      return this.#isServing;
    });
    const endUs = this.#scheduler.nowUs + settleUs;
    await this.#scheduler.run(() => this.#scheduler.nowUs >= endUs || this.#isHopeless);
    for (const violation of disturbances(before, terms, nodes)) this.#violate(violation);
    return areBack;
  }

  /** Every partition takes a batch, and readers see all that was acknowledged. */
  async #probe(well: readonly SimulatedNode[], topics: readonly TopicPlan[]): Promise<boolean> {
    const prober = this.#clientOf({
      ...{ kind: "producer", name: "prober", isIdempotent: true, acks: -1, inFlightMax: 1, retries: true },
      ...{ deliveryTimeoutMs: this.#plan.livenessMs, compression: "none", tasks: probeTasks(topics) },
    });
    const readers = this.#clients.filter(({ plan }) => plan.kind === "reader");
    let isBegun = false;
    return await this.#until("a majority goes on without the others", () => {
      for (const node of well) if (node.state === "down") node.start();
      if (!well.every(({ state }) => state === "serving")) return false;
      if (!isBegun) prober.start();
      isBegun = true;
      return prober.hasDoneAll && this.#hasReadAll(readers);
    });
  }

  /** The phase after the faults: whatever was begun must come to its end. */
  async #beLive(): Promise<boolean> {
    const clients = this.#clients;
    const ofKind = (kind: ClientPlan["kind"]) => clients.filter(({ plan }) => plan.kind === kind);
    const writers = [...ofKind("producer"), ...ofKind("admin")];
    for (const writer of writers) writer.stop();
    const isWritten = await this.#until("everything sent is answered", () => {
      this.#startDownNodes();
      return this.#isServing && writers.every(({ isIdle }) => isIdle);
    });
    const readers = [...ofKind("reader"), ...ofKind("member")];
    for (const { reading } of readers) reading?.fetcher.forgetEnds();
    const isAtEnd = await this.#until("readers and groups have read everything", () =>
      this.#hasReadAll(readers),
    );
    for (const reader of readers) reader.stop();
    const isRead = await this.#until("readers stop", () => readers.every(({ isIdle }) => isIdle));
    return isWritten && isAtEnd && isRead && (await this.#levelOut());
  }

  /** Nothing more is sent: whoever is behind must find out by itself. */
  async #levelOut(): Promise<boolean> {
    const nodes = [...this.#nodes.values()];
    if (nodes.length === 1) return true;
    const isLevel = await this.#until("all replicas have everything", () => areReplicasLevel(nodes));
    if (isLevel) for (const violation of compareProducers(nodes)) this.#violate(violation);
    return isLevel;
  }

  /** Takes the power from all nodes and reads what is left: everything that was promised. */
  async #readAll(): Promise<boolean> {
    for (const node of this.#nodes.values()) {
      node.crash("drop", { isPowerLost: true });
      node.start();
    }
    const client = this.#newClient(finalReaderName);
    const partitions = this.#plan.topics.flatMap(({ name: topic, partitions: count }) =>
      Array.from({ length: count }, (_, partition): TopicPartition => ({ topic, partition })),
    );
    const retained = new Set(
      this.#plan.topics
        .filter(({ configs }) => configs["retention.ms"] !== undefined)
        .map(({ name }) => name),
    );
    const never = () => false;
    // A node that starts learns all that was committed before it serves.
    const fresh = { isFresh: true };
    return await this.#within(this.#plan.livenessMs * 1_000, "the final reading", async () => {
      const mayExpire = (topic: string) => retained.has(topic);
      await readEverything(client, partitions, { trims: this.#trims, mayExpire });
      for (const { name } of this.#plan.topics)
        await client.persist(() => readConfig(client, name, fresh), never);
      await client.persist(() => readTopicExistence(client, "fleeting", fresh), never);
      client.close();
    });
  }

  #judge(history: readonly Operation[], isComplete: boolean): void {
    const { violations } = checkHistory(history, {
      finalReader: isComplete ? finalReaderName : undefined,
      isDense: () => true,
      isReadFresh: this.#plan.hosts.length === 1,
    });
    for (const { kind, key, details } of violations) {
      this.#violate({ kind, details: key === undefined ? details : `${key}: ${details}` });
    }
  }

  /** Stops all nodes in order: that, too, must end. */
  async #shutDown(): Promise<void> {
    const nodes = [...this.#nodes.values()];
    if (!this.#isHopeless) {
      for (const node of nodes) node.stop();
      await this.#until("nodes stop", () => nodes.every(({ state }) => state !== "stopping"));
    }
    for (const node of nodes) node.crash("drop", { isPowerLost: true });
  }

  #scheduleFault(fault: Fault, healing: Set<Heal>): void {
    const targets = this.#targets;
    const { scheduler } = targets;
    const isOver = () => this.#clients.length > 0;
    scheduler.schedule({ afterUs: fault.atMs * 1_000, process: undefined, label: fault.kind }, () => {
      if (isOver()) return;
      const undo = applyFault(fault, targets);
      const heal = () => {
        if (healing.delete(heal)) undo();
      };
      healing.add(heal);
      scheduler.schedule({ afterUs: fault.forMs * 1_000, process: undefined, label: "heal" }, heal);
    });
  }

  get #targets(): FaultTargets {
    return {
      scheduler: this.#scheduler,
      network: this.#network,
      nodes: this.#nodes,
      marks: this.#marks,
      leaderships: this.#leaderships,
      random: this.#streams.stream("strikes"),
    };
  }

  /** Each reader has come to the end of all that it reads, and each group's members together. */
  #hasReadAll(readers: readonly Client[]): boolean {
    const readings = readers.flatMap(({ reading }) => reading ?? []);
    return [...Map.groupBy(readings, (reading) => reading.of).values()].every((together) => {
      const atEnd = new Set(
        together.flatMap(({ fetcher }) =>
          fetcher.places
            .filter(({ key, position, end = Infinity }) => position >= Math.max(end, this.#ends.of(key)))
            .map(({ key }) => key),
        ),
      );
      return together.every(({ keys }) => keys.every((key) => atEnd.has(key)));
    });
  }

  /** Once all is quiet, replicas hold the same, byte for byte. */
  async #compareReplicas(): Promise<boolean> {
    if (this.#nodes.size === 1) return true;
    const nodes = [...this.#nodes.values()];
    const isLevel = await this.#until("replicas are level", () => areReplicasLevel(nodes));
    return (
      isLevel &&
      (await this.#within(setupUsMax, "the comparison of replicas", async () => {
        for (const violation of await compareReplicas(nodes)) this.#violate(violation);
      }))
    );
  }

  get #isServing(): boolean {
    return [...this.#nodes.values()].every(({ state }) => state === "serving");
  }

  #startDownNodes(): void {
    for (const node of this.#nodes.values()) if (node.state === "down") node.start();
  }

  /** Lets time pass until a condition holds; that it never does is a violation. */
  async #until(what: string, isDone: () => boolean): Promise<boolean> {
    const endUs = this.#scheduler.nowUs + this.#plan.livenessMs * 1_000;
    let isReached = false;
    await this.#scheduler.run(() => {
      isReached = isDone();
      return isReached || this.#isHopeless || this.#scheduler.nowUs > endUs;
    });
    if (!isReached && !this.#isHopeless) {
      const states = [...this.#nodes.values()].map(({ host, state }) => `${host} is ${state}`);
      const busy = this.#clients
        .filter(({ isIdle }) => !isIdle)
        .map(({ plan, reading }) => {
          const places = reading?.fetcher.places.map(
            ({ key, position, end }) => `${key} ${position}/${end ?? "?"}`,
          );
          return `${plan.name} is busy${places ? ` (${places.join(", ")})` : ""}`;
        });
      this.#violate({
        kind: "noProgress",
        details: `waited in vain until ${what}: ${[...states, ...busy].join(", ")}`,
      });
    }
    return isReached;
  }

  /** Runs a client's work to its end. */
  async #within(boundUs: number, what: string, work: () => Promise<void>): Promise<boolean> {
    let isDone = false;
    this.#scheduler.schedule({ afterUs: 0, process: undefined, label: what }, () => {
      work().then(
        () => {
          isDone = true;
        },
        (error: unknown) => this.#thrown(error, what),
      );
    });
    const endUs = this.#scheduler.nowUs + boundUs;
    await this.#scheduler.run(() => isDone || this.#isHopeless || this.#scheduler.nowUs > endUs);
    if (!isDone && !this.#isHopeless) this.#violate({ kind: "noProgress", details: `${what} does not end` });
    return isDone;
  }

  /** A run that has shown this much goes no further. */
  get #isHopeless(): boolean {
    return this.#violations.length >= violationsMax;
  }

  #thrown(error: unknown, label: string): void {
    const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#violate({ kind: "uncaught", details: `in "${label}": ${details}` });
  }

  #violate(violation: Violation): void {
    if (this.#violations.length < violationsMax) this.#violations.push(violation);
  }

  #hash(): string {
    this.#trace.number(this.#streams.draws);
    this.#trace.number(this.#scheduler.events);
    return this.#trace.hash;
  }

  #newNode(host: string): SimulatedNode {
    const { onLogLine, wrapFiles } = this.#options;
    return new SimulatedNode({
      host,
      config: nodeConfig(this.#plan, host),
      scheduler: this.#scheduler,
      network: this.#network,
      disk: new SimulatedDisk({
        profile: this.#plan.disk,
        scheduler: this.#scheduler,
        random: this.#streams.stream(`disk/${host}`),
      }),
      streams: this.#streams,
      memory,
      marks: this.#marks,
      onViolation: (violation) => this.#violate(violation),
      wrapFiles,
      onLogLine:
        onLogLine &&
        ((from, line) => onLogLine(`${(this.#scheduler.nowUs / 1_000).toFixed(3)} ${from} ${line.trim()}`)),
    });
  }

  #newClient(name: string): ClusterClient {
    const simulated = new SimulatedProcess(name);
    return new ClusterClient({
      name,
      endpoint: { host: name, process: simulated },
      network: this.#network,
      clock: new SimulatedClock({
        scheduler: this.#scheduler,
        process: simulated,
        random: this.#streams.stream(`timing/${name}`),
        wallStartMs: () => wallStartMs,
      }),
      random: this.#streams.stream(`client/${name}`),
      bootstrap: this.#plan.hosts.map((host) => ({ host, port: brokerPort })),
      recorder: this.#recorder,
      marks: this.#marks,
      committedWrites: this.#committedWrites,
      onViolation: (violation) => this.#violate(violation),
    });
  }

  #clientOf(plan: ClientPlan): Client {
    const client = this.#newClient(plan.name);
    const nextValue = () => ++this.#lastValue;
    const running = (() => {
      switch (plan.kind) {
        case "producer":
          return new SimulatedProducer(client, plan, {
            nextValue,
            isLeaderEnough: this.#plan.hosts.length === 1,
            ends: this.#ends,
          });
        case "reader":
          return new SimulatedReader(client, plan, this.#trims);
        case "member":
          return new SimulatedGroupMember(client, plan, this.#trims);
        case "admin":
          return new SimulatedAdmin(client, plan, {
            trims: this.#trims,
            nextValue,
            areReadsFresh: this.#plan.hosts.length === 1,
          });
        default:
          return plan satisfies never;
      }
    })();
    return {
      plan,
      get isIdle() {
        return running.isIdle;
      },
      get hasDoneAll() {
        return !("hasDoneAll" in running) || running.hasDoneAll;
      },
      get reading() {
        return "reading" in running ? running.reading : undefined;
      },
      start: () => running.start(),
      stop: () => running.stop(),
    };
  }
}

/** Codecs read their libraries from the disk with the first batch that needs one, which must not be in a run. */
function loadCodecs(): void {
  const bytes = Buffer.from("loaded");
  for (const codec of codecs) decompress(codec, compress(codec, bytes), bytes.length);
}
