import { readdir } from "node:fs/promises";
import type { Cluster } from "#src/cli/client/cluster.ts";
import { commitOffsets } from "#src/cli/client/group-offsets.ts";
import { GroupFollower, GroupReader } from "./group-reader.ts";
import { emptyTally, PartitionLedger, type ReadingTally } from "./ledger.ts";
import { endsOf, readWholeLog } from "./log-reading.ts";
import { passingPrefix, passTopic } from "./passing-topics.ts";
import { Sampler } from "./sampler.ts";
import { type Life, SoakBroker } from "./soak-broker.ts";
import { connectCluster, createTopic, pause } from "./soak-client.ts";
import { dataBytesMax, journalBytesMax, type SoakPlan } from "./soak-plan.ts";
import { BatchMaker } from "./soak-records.ts";
import { type OwnedPartition, SteadyProducer } from "./steady-producer.ts";
import type { SoakOutcome } from "./verdict.ts";
import { Visits } from "./visits.ts";

/** Records that are due gather so long: Kafka 4's default of `linger.ms`. */
const lingerMs = 5;
const settleMsMax = 60_000;
const settleEveryMs = 50;
/** Beyond, they tell nothing new. */
const faultsMax = 1_000;
const membersOfFirstGroup = 3;
/** Some 50 partitions have to get one each, by a hash. */
const earlyGroups = 400;

export interface SoakOptions {
  readonly directory: string;
  readonly random: () => number;
  readonly tell: (line: string) => void;
}

/** How much happened, for the report. */
export interface SoakCounts {
  visits: number;
  silentEnded: number;
  passingTopics: number;
  catchUps: number;
  rebalances: number;
  resentRequests: number;
  readRecords: number;
  redeliveredRecords: number;
  removedSegments: number;
  compactions: number;
}

export interface SoakResult {
  readonly plan: SoakPlan;
  readonly outcome: SoakOutcome;
  readonly counts: SoakCounts;
  /** When the load began, on the clock of the lives. */
  readonly beginMs: number;
  readonly lives: readonly Life[];
  readonly warnings: ReadonlyMap<string, number>;
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number; readonly p999Ms: number };
}

/** Runs the plan from an empty directory to the last check. @throws Error when the broker cannot be used at all */
export async function runSoak(plan: SoakPlan, options: SoakOptions): Promise<SoakResult> {
  const death = Promise.withResolvers<never>();
  await using broker = await SoakBroker.start(options.directory, death.reject);
  await using run = await SoakRun.prepare(plan, broker, options);
  return await Promise.race([run.toEnd(), death.promise]);
}

class SoakRun implements AsyncDisposable {
  readonly #plan: SoakPlan;
  readonly #broker: SoakBroker;
  readonly #options: SoakOptions;
  readonly #beginMs: number;
  readonly #owned: readonly OwnedPartition[];
  readonly #groups: readonly GroupFollower[];
  readonly #readers: readonly GroupReader[];
  readonly #sampler: Sampler;
  readonly #visits: Visits;
  readonly #catchUpTally: ReadingTally = emptyTally();
  readonly #faults: string[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #passing = new Set<Promise<void>>();
  #producers: readonly SteadyProducer[] = [];
  #catchUp: Promise<void> | undefined;
  #passingCount = 0;
  #catchUpCount = 0;
  #rebalanceCount = 0;

  static async prepare(plan: SoakPlan, broker: SoakBroker, options: SoakOptions): Promise<SoakRun> {
    using cluster = await connectCluster(broker.address, "soak-admin");
    for (const topic of plan.topics) await createTopic(cluster, topic);
    await storeEarlyOffsets(cluster, plan);
    const run = new SoakRun(plan, broker, options);
    await run.#openProducers();
    return run;
  }

  private constructor(plan: SoakPlan, broker: SoakBroker, options: SoakOptions) {
    const onFault = (error: Error): void => this.#fault(error);
    this.#plan = plan;
    this.#broker = broker;
    this.#options = options;
    this.#beginMs = performance.now() + 1_000;
    this.#owned = plan.topics.flatMap((topic) =>
      Array.from({ length: topic.partitions }, (_, partition) => ({
        topic,
        ledger: new PartitionLedger(topic.name, partition),
      })),
    );
    this.#groups = [new GroupFollower("watchers", plan.topics), new GroupFollower("archive", plan.topics)];
    this.#readers = this.#groups.flatMap((group, at) =>
      Array.from(
        { length: at === 0 ? membersOfFirstGroup : 1 },
        () => new GroupReader(broker.address, group, onFault),
      ),
    );
    const ledgers = this.#owned.map(({ ledger }) => ledger);
    this.#sampler = new Sampler({ broker, groups: this.#groups, ledgers, beginMs: this.#beginMs });
    this.#visits = new Visits(broker, plan.topics, onFault);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTimers();
    for (const reader of this.#readers) reader.stop();
    this.#visits[Symbol.dispose]();
    for (const producer of this.#producers) await producer[Symbol.asyncDispose]();
  }

  async toEnd(): Promise<SoakResult> {
    const reading = Promise.all(this.#readers.map((reader) => reader.run()));
    const restarting = this.#restart();
    this.#startTimers();
    await this.#produce();
    await restarting;
    this.#options.tell("the load is over: waiting for what is under way");
    this.#stopTimers();
    await this.#settle();
    const unreadRecords = this.#lag();
    for (const reader of this.#readers) reader.stop();
    await reading;
    return await this.#check(unreadRecords);
  }

  async #openProducers(): Promise<void> {
    const { producers, rate } = this.#plan;
    const maker = new BatchMaker(this.#options.random);
    this.#producers = await Promise.all(
      Array.from({ length: producers }, (_, number) =>
        SteadyProducer.open({
          address: this.#broker.address,
          partitions: this.#owned.filter((_, at) => at % producers === number),
          maker,
          rate: rate / producers,
          beginMs: this.#beginMs + (number * lingerMs) / producers,
          onLatency: (latencyMs) => this.#sampler.record(latencyMs),
          onFault: (error) => this.#fault(error),
        }),
      ),
    );
  }

  async #produce(): Promise<void> {
    const endMs = this.#beginMs + this.#plan.durationMs;
    for (let nowMs = performance.now(); nowMs < endMs; nowMs = performance.now()) {
      for (const producer of this.#producers) producer.advance(nowMs);
      await pause(lingerMs);
    }
  }

  async #restart(): Promise<void> {
    for (const { atMs, ending } of this.#plan.restarts) {
      await pause(Math.max(0, this.#beginMs + atMs - performance.now()));
      await this.#broker.end(ending);
      await this.#broker.start();
      const life = this.#broker.life;
      const startMs = Math.round((life?.servingMs ?? 0) - (life?.begunMs ?? 0));
      this.#options.tell(`${minutes(atMs)} ${ending}: serves again ${startMs} ms after its start`);
    }
  }

  #startTimers(): void {
    const plan = this.#plan;
    this.#every(plan.sampleEveryMs, () => this.#sampler.sample());
    this.#every(plan.visitEveryMs, () => this.#visits.begin());
    this.#every(plan.passingTopicEveryMs, () => this.#passTopic());
    this.#every(plan.catchUpEveryMs, () => this.#beginCatchUp());
    this.#every(plan.rebalanceEveryMs, () => {
      this.#readers[this.#rebalanceCount++ % membersOfFirstGroup]?.leaveOnce();
    });
    this.#every(60_000, () => this.#tellProgress());
  }

  #every(intervalMs: number, work: () => void | Promise<void>): void {
    const timer = setInterval(() => {
      Promise.resolve(work()).catch((error: unknown) => this.#fault(error));
    }, intervalMs);
    this.#timers.push(timer);
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #passTopic(): void {
    const { address } = this.#broker;
    const number = ++this.#passingCount;
    const passing = passTopic({ address, number, staysMs: this.#plan.passingTopicStaysMs })
      .catch((error: unknown) => this.#fault(error))
      .finally(() => this.#passing.delete(passing));
    this.#passing.add(passing);
  }

  /** One reader at a time begins at the start of some partition. */
  #beginCatchUp(): void {
    if (this.#catchUp) return;
    const owned = this.#owned[(this.#catchUpCount * 7) % this.#owned.length];
    if (!owned) return;
    this.#catchUpCount++;
    this.#catchUp = this.#readLog(owned)
      .catch((error: unknown) => this.#fault(error))
      .finally(() => {
        this.#catchUp = undefined;
      });
  }

  async #readLog({ topic, ledger }: OwnedPartition): Promise<void> {
    using cluster = await connectCluster(this.#broker.address, "soak-catch-up");
    await readWholeLog(cluster, topic, ledger, this.#catchUpTally);
  }

  #lag(): number {
    const ledgers = this.#owned.map(({ ledger }) => ledger);
    return this.#groups.reduce((sum, group) => sum + group.lagOf(ledgers), 0);
  }

  /** Waits until all is acknowledged, read and left, or for a minute each. */
  async #settle(): Promise<void> {
    await atMost(settleMsMax, () => this.#producers.every(({ isIdle }) => isIdle));
    await atMost(settleMsMax, () => this.#lag() === 0);
    await atMost(settleMsMax, () => this.#passing.size === 0 && this.#catchUp === undefined);
    await atMost(settleMsMax, () => this.#visits.silentCount === 0);
  }

  /** Once more from the disk: a last stop and start, and every log from its start to its end. */
  async #check(unreadRecords: number): Promise<SoakResult> {
    const { tell } = this.#options;
    const silentConnections = this.#visits.silentCount;
    await this.#broker.end("stop");
    await this.#broker.start();
    tell("reading all logs from their starts");
    using cluster = await connectCluster(this.#broker.address, "soak-check");
    const wrongEndCount = await this.#countWrongEnds(cluster);
    const wrongKeyCount = await this.#countWrongKeys(cluster);
    const directories = await readdir(this.#broker.dataDirectory);
    await this.#broker.end("stop");

    const judgedLife = longestOf(this.#broker.lives);
    const tallies = [...this.#groups.map(({ tally }) => tally), this.#catchUpTally];
    const tally = tallies.reduce(addTallies, emptyTally());
    const outcome: SoakOutcome = {
      samples: this.#sampler.samples,
      judgedLife: judgedLife.number,
      judgedLifeMs: lengthOf(judgedLife),
      dataBytesMax,
      journalBytesMax,
      tally,
      sentRecords: sumOf(this.#owned, ({ ledger }) => ledger.sentCount),
      acknowledgedRecords: sumOf(this.#owned, ({ ledger }) => ledger.acknowledgedCount),
      wrongEndCount,
      misplacedAcknowledgements: sumOf(this.#owned, ({ ledger }) => ledger.misplacedCount),
      wrongKeyCount,
      unreadRecords,
      faults: this.#faults,
      logErrors: this.#broker.log.errors,
      uncleanStops: this.#broker.lives.filter(({ ending, exitCode }) => ending === "stop" && exitCode !== 0)
        .length,
      silentConnections,
      leftDirectories: directories.filter((name) => name.startsWith(passingPrefix)),
    };
    return {
      plan: this.#plan,
      outcome,
      counts: this.#counts(tally),
      beginMs: this.#beginMs,
      lives: this.#broker.lives,
      warnings: this.#broker.log.warnings,
      latency: this.#sampler.latencies.summary(),
    };
  }

  async #countWrongEnds(cluster: Cluster): Promise<number> {
    let wrong = 0;
    for (const topic of this.#plan.topics) {
      const ends = await endsOf(cluster, topic);
      for (const { ledger } of this.#owned.filter((owned) => owned.topic === topic)) {
        if (ends[ledger.partition] !== ledger.acknowledgedCount) wrong++;
      }
    }
    return wrong;
  }

  async #countWrongKeys(cluster: Cluster): Promise<number> {
    let wrong = 0;
    for (const { topic, ledger } of this.#owned) {
      const found = await readWholeLog(cluster, topic, ledger, this.#catchUpTally);
      for (const [key, { number, isDeletion }] of ledger.latest) {
        const last = found.get(key);
        const isRight = isDeletion ? last === undefined || last.isDeletion : last?.number === number;
        if (!isRight) wrong++;
      }
    }
    return wrong;
  }

  #counts({ recordCount, redeliveredCount }: ReadingTally): SoakCounts {
    return {
      visits: this.#visits.doneCount,
      silentEnded: this.#visits.endedCount,
      passingTopics: this.#passingCount,
      catchUps: this.#catchUpCount,
      rebalances: this.#rebalanceCount,
      resentRequests: sumOf(this.#producers, ({ resendCount }) => resendCount),
      readRecords: recordCount,
      redeliveredRecords: redeliveredCount,
      removedSegments: this.#broker.log.removedSegments,
      compactions: this.#broker.log.compactions,
    };
  }

  #fault(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const atMs = performance.now() - this.#beginMs;
    if (this.#faults.length >= faultsMax) return;
    this.#faults.push(`${minutes(atMs)} ${message}`);
    this.#options.tell(`${minutes(atMs)} WRONG: ${message}`);
  }

  #tellProgress(): void {
    const last = this.#sampler.samples.at(-1);
    const residentMb = Math.round((last?.process?.residentBytes ?? 0) / 1e6);
    this.#options.tell(
      `${minutes(last?.atMs ?? 0)} ${residentMb} MB, ${last?.process?.handles ?? 0} handles, ` +
        `p99 ${last?.p99Ms.toFixed(1)} ms, lag ${last?.lagRecords}, ${this.#faults.length} wrong`,
    );
  }
}

/**
 * Groups in every partition of the offsets topic: whose first one comes late would look like a file handle lost.
 * They expire within minutes.
 */
async function storeEarlyOffsets(cluster: Cluster, { topics }: SoakPlan): Promise<void> {
  const topic = topics[0]?.name ?? "";
  for (let number = 0; number < earlyGroups; number++) {
    const outsider = { groupId: `early-${number}`, generationId: -1, memberId: "" };
    await commitOffsets(cluster, outsider, [{ topic, partition: 0, offset: 0 }]);
  }
}

async function atMost(durationMs: number, isDone: () => boolean): Promise<void> {
  const endMs = performance.now() + durationMs;
  while (!isDone() && performance.now() < endMs) await pause(settleEveryMs);
}

function longestOf(lives: readonly Life[]): Life {
  return lives.reduce((longest, life) => (lengthOf(life) > lengthOf(longest) ? life : longest));
}

function lengthOf({ servingMs = 0, endedMs = 0 }: Life): number {
  return endedMs - servingMs;
}

function addTallies(sum: ReadingTally, tally: ReadingTally): ReadingTally {
  return {
    recordCount: sum.recordCount + tally.recordCount,
    gapCount: sum.gapCount + tally.gapCount,
    misplacedCount: sum.misplacedCount + tally.misplacedCount,
    redeliveredCount: sum.redeliveredCount + tally.redeliveredCount,
    lostCommitCount: sum.lostCommitCount + tally.lostCommitCount,
  };
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

function minutes(atMs: number): string {
  return `[${(atMs / 60_000).toFixed(1)} min]`;
}
