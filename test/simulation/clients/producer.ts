import type { Compression } from "#protocol/compression/compression.ts";
import { ErrorCode, isRetriable } from "#protocol/error-codes.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { Produce } from "#protocol/messages/produce.ts";
import type { SendStep } from "../history/operation.ts";
import type { Invocation } from "../history/recorder.ts";
import type { AcknowledgedEnds } from "./acknowledged-ends.ts";
import { type ClientConnection, expectNone, Refused, Unanswered } from "./client-connection.ts";
import type { ClusterClient, TopicPartition } from "./cluster-client.ts";
import { latest } from "./fetcher.ts";
import { type BatchIdentity, batchOf, recordOf } from "./values.ts";

/** One batch that a producer is to send at some time. */
export interface ProduceTask extends TopicPartition {
  readonly atMs: number;
  readonly recordCount: number;
  readonly sizeBytes: number;
}

export interface ProducerPlan {
  readonly kind: "producer";
  readonly name: string;
  readonly isIdempotent: boolean;
  readonly acks: -1 | 0 | 1;
  /** Batches of one partition under way at once: 5 at most where it is idempotent. */
  readonly inFlightMax: number;
  /** Whether it sends again what failed; an idempotent one always does. */
  readonly retries: boolean;
  readonly deliveryTimeoutMs: number;
  readonly compression: Compression;
  readonly tasks: readonly ProduceTask[];
}

interface Batch {
  readonly task: ProduceTask;
  readonly steps: readonly SendStep[];
  readonly invocation: Invocation;
  readonly deadlineMs: number;
  identity: BatchIdentity | undefined;
  attempts: number;
}

/** What one attempt brought. */
type Attempt =
  | { readonly kind: "acknowledged"; readonly baseOffset: number | undefined }
  | { readonly kind: "refused"; readonly errorCode: number }
  | { readonly kind: "unanswered" };

/** A producer's work on one partition, in order; it has a producer id of its own. */
interface Lane {
  readonly place: TopicPartition;
  readonly batches: Batch[];
  identity: { readonly producerId: number; readonly producerEpoch: number } | undefined;
  nextSequence: number;
  isRunning: boolean;
}

const firstVersionWithTopicIds = 13;
/** KIP-110. */
const firstVersionWithZstd = 7;
/** Refusals that are right: a broker whose clock has jumped takes records for ones from the future. */
const explicable: ReadonlySet<number> = new Set([ErrorCode.invalidTimestamp]);
const requestTimeoutMs = 3_000;
const backoffMs = 80;
/** How often a round is followed by a look at what it does. */
const lookChance = 0.1;

/** Sends planned batches as real producers do: pipelined, again after failures, giving up after a while. */
export class SimulatedProducer {
  readonly #client: ClusterClient;
  readonly #plan: ProducerPlan;
  readonly #nextValue: () => number;
  /** What an acknowledgement with acks=1 promises here. */
  readonly #isLeaderEnough: boolean;
  readonly #ends: AcknowledgedEnds;
  readonly #lanes = new Map<string, Lane>();
  #isStopping = false;
  #begun = 0;

  constructor(
    client: ClusterClient,
    plan: ProducerPlan,
    options: {
      readonly nextValue: () => number;
      readonly isLeaderEnough: boolean;
      readonly ends: AcknowledgedEnds;
    },
  ) {
    this.#client = client;
    this.#plan = plan;
    this.#nextValue = options.nextValue;
    this.#isLeaderEnough = options.isLeaderEnough;
    this.#ends = options.ends;
  }

  get isIdle(): boolean {
    return [...this.#lanes.values()].every(({ batches }) => batches.length === 0);
  }

  get hasDoneAll(): boolean {
    return this.#begun === this.#plan.tasks.length && this.isIdle;
  }

  /** Begins each task in its time. */
  start(): void {
    const { clock } = this.#client.options;
    for (const task of this.#plan.tasks) {
      clock.schedule(task.atMs, () => {
        this.#begun += 1;
        if (!this.#isStopping) this.#enqueue(task);
      });
    }
  }

  /** Takes no further task; what is under way goes on. */
  stop(): void {
    this.#isStopping = true;
  }

  #enqueue(task: ProduceTask): void {
    const { clock, recorder, name } = this.#client.options;
    const key = `${task.topic}-${task.partition}`;
    const steps = Array.from({ length: task.recordCount }, (): SendStep => {
      const value = this.#nextValue();
      return { kind: "send", key, value, offset: undefined, acks: this.#promise, mayRepeat: false };
    });
    const lane = this.#lanes.get(key) ?? {
      place: { topic: task.topic, partition: task.partition },
      batches: [],
      identity: undefined,
      nextSequence: 0,
      isRunning: false,
    };
    this.#lanes.set(key, lane);
    lane.batches.push({
      task,
      steps,
      // Pipelined sends of one producer are in order by partition: that is what a process means here.
      invocation: recorder.invoke(`${name}/${key}`, steps),
      deadlineMs: clock.monotonicMs() + this.#plan.deliveryTimeoutMs,
      identity: undefined,
      attempts: 0,
    });
    if (!lane.isRunning) this.#run(lane);
  }

  get #promise(): SendStep["acks"] {
    if (this.#plan.acks === 0) return "none";
    return this.#plan.acks === -1 || this.#isLeaderEnough ? "all" : "leader";
  }

  #run(lane: Lane): void {
    lane.isRunning = true;
    this.#work(lane).then(
      () => {
        lane.isRunning = false;
      },
      (error: unknown) => {
        this.#client.violate("clientFailed", error instanceof Error ? (error.stack ?? "") : String(error));
      },
    );
  }

  async #work(lane: Lane): Promise<void> {
    const { clock } = this.#client.options;
    while (lane.batches.length > 0) {
      try {
        const connection = await this.#client.leaderOf(lane.place);
        await this.#identify(lane);
        if (!(await this.#sendRound(lane, connection))) await clock.sleep(backoffMs);
      } catch (error) {
        if (!(error instanceof Unanswered || error instanceof Refused)) throw error;
        this.#client.noteFailure(error);
        this.#client.forgetLeaders();
        await clock.sleep(backoffMs);
      }
      this.#giveUpOverdue(lane);
    }
  }

  async #identify(lane: Lane): Promise<void> {
    if (!this.#plan.isIdempotent || lane.identity) return;
    const answer = await this.#client.ask(
      InitProducerId,
      {
        transactionalId: null,
        transactionTimeoutMs: 60_000,
      },
      { max: 5 },
    );
    expectNone(answer.errorCode);
    lane.identity = { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
    lane.nextSequence = 0;
  }

  /** Sends the oldest batches all at once and waits for their answers; true when all went well. */
  async #sendRound(lane: Lane, connection: ClientConnection): Promise<boolean> {
    const round = lane.batches.slice(0, this.#plan.inFlightMax);
    const { marks } = this.#client.options;
    if (round.length > 1) marks.reach("several batches of a partition in flight");
    if (round.some(({ attempts }) => attempts > 0)) marks.reach("batch sent again");
    const attempts = round.map((batch) => this.#attempt(lane, batch, connection));
    const looksBehind = this.#plan.acks !== 0 && this.#client.options.random.chance(lookChance);
    const end = looksBehind ? this.#endBehind(lane, connection) : undefined;
    let isIntact = true;
    let acknowledgedEnd = 0;
    for (const [at, attempt] of (await Promise.all(attempts)).entries()) {
      const batch = round[at];
      if (!batch) continue;
      isIntact = this.#judge(lane, batch, attempt, isIntact) && isIntact;
      if (attempt.kind !== "acknowledged" || attempt.baseOffset === undefined) continue;
      acknowledgedEnd = Math.max(acknowledgedEnd, attempt.baseOffset + batch.steps.length);
    }
    const seenEnd = await end;
    if (seenEnd !== undefined && seenEnd < acknowledgedEnd) {
      const where = `${lane.place.topic}-${lane.place.partition}`;
      this.#client.violate(
        "ownEffectUnseen",
        `${where} ends at ${seenEnd} behind a batch up to ${acknowledgedEnd}`,
      );
    }
    return isIntact;
  }

  /** Asks for the end of the log while the batches before are unanswered: what they do must show. */
  async #endBehind({ place }: Lane, connection: ClientConnection): Promise<number | undefined> {
    const { topic, partition } = place;
    const version = this.#client.versionOf(ListOffsets);
    const partitions = [{ partitionIndex: partition, timestamp: latest }];
    try {
      const { topics } = await connection.request(
        ListOffsets,
        { version, timeoutMs: requestTimeoutMs + 1_000 },
        { replicaId: -1, topics: [{ name: topic, partitions }] },
      );
      const found = topics[0]?.partitions[0];
      return found?.errorCode === ErrorCode.none ? found.offset : undefined;
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      return undefined;
    }
  }

  async #attempt(lane: Lane, batch: Batch, connection: ClientConnection): Promise<Attempt> {
    const { isIdempotent, acks, compression } = this.#plan;
    if (isIdempotent && lane.identity && !batch.identity) {
      batch.identity = { ...lane.identity, baseSequence: lane.nextSequence };
      lane.nextSequence += batch.steps.length;
    }
    batch.attempts += 1;
    const { task, steps } = batch;
    const nowMs = this.#client.options.clock.nowMs();
    const records = batchOf(
      steps.map(({ value }) => recordOf(value, task.sizeBytes, nowMs)),
      batch.identity,
      compression,
    );
    const version = this.#client.versionOf(
      Produce,
      compression === "zstd" ? { min: firstVersionWithZstd } : {},
    );
    const name =
      version < firstVersionWithTopicIds
        ? { name: task.topic }
        : { topicId: this.#client.topicId(task.topic) };
    const request = {
      transactionalId: null,
      acks,
      timeoutMs: requestTimeoutMs,
      topicData: [{ ...name, partitionData: [{ index: task.partition, records }] }],
    };
    try {
      if (acks === 0) {
        connection.post(Produce, version, request);
        return { kind: "acknowledged", baseOffset: undefined };
      }
      const { responses } = await connection.request(
        Produce,
        { version, timeoutMs: requestTimeoutMs + 1_000 },
        request,
      );
      const answer = responses[0]?.partitionResponses[0];
      if (!answer) throw new Error("Produce was answered without its partition");
      if (answer.errorCode === ErrorCode.duplicateSequenceNumber) {
        return { kind: "acknowledged", baseOffset: undefined };
      }
      if (answer.errorCode !== ErrorCode.none) return { kind: "refused", errorCode: answer.errorCode };
      return { kind: "acknowledged", baseOffset: answer.baseOffset };
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      this.#client.noteFailure(error);
      this.#client.forgetLeaders();
      return { kind: "unanswered" };
    }
  }

  /** Takes an answer; `isIntact` says whether all batches before it went well. Answers whether this one did. */
  #judge(lane: Lane, batch: Batch, attempt: Attempt, isIntact: boolean): boolean {
    const { isIdempotent, retries } = this.#plan;
    if (attempt.kind === "acknowledged") {
      this.#acknowledge(lane, batch, attempt.baseOffset);
      return true;
    }
    if (attempt.kind === "refused") {
      const { errorCode } = attempt;
      const { marks } = this.#client.options;
      if (errorCode === ErrorCode.notEnoughReplicas) marks.reach("produce refused for want of replicas");
      const isBehindFailure = !isIntact && errorCode === ErrorCode.outOfOrderSequenceNumber;
      if (!isRetriable(errorCode) && !isBehindFailure) {
        if (!explicable.has(errorCode)) {
          const { key, value } = batch.steps[0] ?? { key: "nothing", value: 0 };
          const which = `attempt ${batch.attempts} of values ${value}.. for ${key}`;
          this.#client.violate("refusedProduce", `${which} was refused with error ${errorCode}`);
        }
        this.#abandon(lane, batch, { isDefinite: batch.attempts === 1 });
        return false;
      }
      this.#client.forgetLeaders();
    }
    if (!isIdempotent && !retries) this.#abandon(lane, batch, { isDefinite: false });
    return false;
  }

  #acknowledge(lane: Lane, batch: Batch, baseOffset: number | undefined): void {
    remove(lane.batches, batch);
    // Nobody knows what became of it: the operation stays open.
    if (this.#plan.acks === 0) return;
    if (baseOffset !== undefined && this.#promise === "all") {
      this.#ends.note(`${lane.place.topic}-${lane.place.partition}`, baseOffset + batch.steps.length);
    }
    const mayRepeat = !this.#plan.isIdempotent && batch.attempts > 1;
    const steps = batch.steps.map((step, at) => {
      return { ...step, mayRepeat, offset: baseOffset === undefined ? undefined : baseOffset + at };
    });
    batch.invocation.complete("ok", steps);
  }

  #giveUpOverdue(lane: Lane): void {
    const nowMs = this.#client.options.clock.monotonicMs();
    const overdue = lane.batches.filter(({ deadlineMs }) => deadlineMs <= nowMs);
    for (const batch of overdue) {
      this.#client.options.marks.reach("producer gave up a batch");
      this.#abandon(lane, batch, { isDefinite: batch.attempts === 0 });
    }
  }

  /** A batch is given up: the numbering behind it has a gap, so that all that was numbered goes with it. */
  #abandon(lane: Lane, given: Batch, { isDefinite }: { readonly isDefinite: boolean }): void {
    const numbered = given.identity ? lane.batches.filter(({ identity }) => identity) : [given];
    for (const batch of numbered) {
      remove(lane.batches, batch);
      const mayRepeat = !this.#plan.isIdempotent && batch.attempts > 1;
      const steps = batch.steps.map((step) => ({ ...step, mayRepeat }));
      const hasFailed = batch === given ? isDefinite : batch.attempts === 0;
      batch.invocation.complete(hasFailed ? "failed" : "indefinite", steps);
    }
    if (given.identity) lane.identity = undefined;
  }
}

function remove<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}
