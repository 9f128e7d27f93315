import { ErrorCode } from "#protocol/error-codes.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DeleteRecords } from "#protocol/messages/delete-records.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { DescribeConfigs } from "#protocol/messages/describe-configs.ts";
import { ElectLeaders } from "#protocol/messages/elect-leaders.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { IncrementalAlterConfigs } from "#protocol/messages/incremental-alter-configs.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { Produce } from "#protocol/messages/produce.ts";
import type { Step } from "../history/operation.ts";
import type { Recorder } from "../history/recorder.ts";
import { expectNone, Refused } from "./client-connection.ts";
import { type ClusterClient, isPassing, type TopicPartition } from "./cluster-client.ts";
import { Fetcher, latest } from "./fetcher.ts";
import { type ReassignTask, reassign } from "./reassign.ts";
import type { Trims } from "./trims.ts";
import { batchOf, recordOf, valuesIn } from "./values.ts";

/** One administrative act at some time. */
export type AdminTask =
  | { readonly kind: "remakeTopic"; readonly atMs: number; readonly topic: string }
  | { readonly kind: "alterConfig"; readonly atMs: number; readonly topic: string; readonly value: number }
  | { readonly kind: "readConfig"; readonly atMs: number; readonly topic: string }
  | ReassignTask
  /** Gives every partition back to the replica that comes first. */
  | { readonly kind: "electLeaders"; readonly atMs: number }
  | ({ readonly kind: "deleteRecords"; readonly atMs: number; readonly share: number } & TopicPartition);

export interface AdminPlan {
  readonly kind: "admin";
  readonly name: string;
  readonly tasks: readonly AdminTask[];
}

/** A config whose value shows whether changes are kept; nothing else depends on it. */
export const alteredConfig = "flush.messages";
const topicResource = 2;

/** How metadata is read. */
export interface RegisterReading {
  /** Whether who answers knows all that was answered before: one of several nodes may be behind the others. */
  readonly isFresh: boolean;
}

/** The name under which a topic's config stands in the history. */
export function configRegister(topic: string): string {
  return `config/${topic}/${alteredConfig}`;
}

/** The name under which a topic's existence stands in the history. */
export function topicRegister(topic: string): string {
  return `topic/${topic}`;
}

/** Does administrative acts one after the other, each once: what was not answered stays open. */
export class SimulatedAdmin {
  readonly #client: ClusterClient;
  readonly #plan: AdminPlan;
  readonly #trims: Trims;
  readonly #nextValue: () => number;
  readonly #reading: RegisterReading;
  /** Values sent to a topic in its present life, where that is known for certain. */
  readonly #livesOf = new Map<string, { readonly topicId: string; readonly values: Set<number> }>();
  readonly #queue: AdminTask[] = [];
  #isRunning = false;
  #isStopping = false;

  constructor(
    client: ClusterClient,
    plan: AdminPlan,
    options: {
      readonly trims: Trims;
      readonly nextValue: () => number;
      readonly areReadsFresh: boolean;
    },
  ) {
    this.#client = client;
    this.#plan = plan;
    this.#trims = options.trims;
    this.#nextValue = options.nextValue;
    this.#reading = { isFresh: options.areReadsFresh };
  }

  get isIdle(): boolean {
    return !this.#isRunning;
  }

  start(): void {
    for (const task of this.#plan.tasks) {
      this.#client.options.clock.schedule(task.atMs, () => {
        if (this.#isStopping) return;
        this.#queue.push(task);
        if (!this.#isRunning) this.#run();
      });
    }
  }

  stop(): void {
    this.#isStopping = true;
    this.#queue.length = 0;
  }

  #run(): void {
    this.#isRunning = true;
    this.#work().then(
      () => {
        this.#isRunning = false;
      },
      (error: unknown) => {
        this.#client.violate("clientFailed", error instanceof Error ? (error.stack ?? "") : String(error));
      },
    );
  }

  async #work(): Promise<void> {
    for (let task = this.#queue.shift(); task; task = this.#queue.shift()) {
      try {
        await this.#do(task);
      } catch (error) {
        if (!isPassing(error) && !isExplicable(error)) throw error;
        this.#client.noteFailure(error);
        this.#client.forgetLeaders();
      }
    }
  }

  async #do(task: AdminTask): Promise<void> {
    switch (task.kind) {
      case "remakeTopic":
        return await this.#remakeTopic(task.topic);
      case "alterConfig":
        return await this.#alterConfig(task.topic, task.value);
      case "readConfig":
        return await readConfig(this.#client, task.topic, this.#reading);
      case "reassign":
        return await reassign(this.#client, task);
      case "electLeaders":
        return await this.#electLeaders();
      case "deleteRecords":
        return await this.#deleteRecords(task, task.share);
      default:
        task satisfies never;
    }
  }

  /** A topic that is there goes, one that is not comes; what an earlier life held must never show in a later one. */
  async #remakeTopic(topic: string): Promise<void> {
    const isThere = await readTopicExistence(this.#client, topic, this.#reading);
    this.#livesOf.delete(topic);
    if (isThere) await this.#write(topicRegister(topic), undefined, () => this.#deleteTopic(topic));
    let topicId = "";
    await this.#write(topicRegister(topic), 1, async () => {
      topicId = await this.#createTopic(topic);
    });
    this.#livesOf.set(topic, { topicId, values: new Set() });
    if (isThere) this.#client.options.marks.reach("topic made again under its name");
    await this.#useTopic(topic);
  }

  async #deleteTopic(topic: string): Promise<void> {
    const { responses } = await this.#client.ask(
      DeleteTopics,
      { topicNames: [topic], timeoutMs: 3_000 },
      { max: 5 },
    );
    expectNone(responses[0]?.errorCode ?? ErrorCode.unknownServerError);
  }

  async #createTopic(topic: string): Promise<string> {
    const { topics } = await this.#client.ask(
      CreateTopics,
      {
        topics: [{ name: topic, numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }],
        timeoutMs: 3_000,
        validateOnly: false,
      },
      { min: 7 },
    );
    expectNone(topics[0]?.errorCode ?? ErrorCode.unknownServerError);
    return topics[0]?.topicId ?? "";
  }

  /** Sends a few values to the topic's present life and looks whether others are there. */
  async #useTopic(topic: string): Promise<void> {
    const life = this.#livesOf.get(topic);
    if (!life) return;
    await this.#client.learn([topic]);
    const connection = await this.#client.leaderOf({ topic, partition: 0 });
    const values = Array.from({ length: 3 }, () => this.#nextValue());
    for (const value of values) life.values.add(value);
    const nowMs = this.#client.options.clock.nowMs();
    const records = batchOf(
      values.map((value) => recordOf(value, 100, nowMs)),
      undefined,
      "none",
    );
    const { topicId } = life;
    await connection.request(
      Produce,
      { version: 13, timeoutMs: 4_000 },
      {
        transactionalId: null,
        acks: -1,
        timeoutMs: 3_000,
        topicData: [{ topicId, partitionData: [{ index: 0, records }] }],
      },
    );
    const answer = await connection.request(
      Fetch,
      { version: 13, timeoutMs: 4_000 },
      {
        maxWaitMs: 0,
        minBytes: 0,
        topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
      },
    );
    for (const { value } of valuesIn(answer.responses[0]?.partitions[0]?.records ?? null)) {
      if (!life.values.has(value)) {
        this.#client.violate(
          "recordOfEarlierTopic",
          `topic ${topic} holds value ${value} of an earlier life`,
        );
      }
    }
  }

  async #alterConfig(topic: string, value: number): Promise<void> {
    const register = configRegister(topic);
    await this.#write(register, value, async () => {
      const { responses } = await this.#client.ask(IncrementalAlterConfigs, {
        resources: [
          {
            resourceType: topicResource,
            resourceName: topic,
            configs: [{ name: alteredConfig, configOperation: 0, value: String(value) }],
          },
        ],
        validateOnly: false,
      });
      expectNone(responses[0]?.errorCode ?? ErrorCode.unknownServerError);
    });
    this.#client.acknowledged([{ kind: "write", register, value }]);
  }

  /** Whoever cannot lead, or leads already, is told of partition by partition, and no failure. */
  async #electLeaders(): Promise<void> {
    const { errorCode } = await this.#client.ask(
      ElectLeaders,
      { electionType: 0, topicPartitions: null, timeoutMs: 3_000 },
      { min: 1 },
    );
    expectNone(errorCode);
  }

  async #deleteRecords(place: TopicPartition, share: number): Promise<void> {
    const { topic, partition } = place;
    const key = `${topic}-${partition}`;
    const { recorder, name } = this.#client.options;
    const bounds = { maxWaitMs: 0, minBytes: 0, maxBytes: 1, partitionMaxBytes: 1 };
    const fetcher = new Fetcher(this.#client, { process: name, bounds, trims: this.#trims });
    const end = await fetcher.offsetOf(place, latest);
    const before = this.#trims.askedBelow(key);
    const offset = before + Math.floor(Math.max(0, end - before) * share);
    const step: Step = { kind: "trim", key, offset };
    const invocation = recorder.invoke(name, [step]);
    this.#trims.ask(key, offset);
    const connection = await this.#client.leaderOf(place);
    const { topics } = await connection.request(
      DeleteRecords,
      { version: this.#client.versionOf(DeleteRecords), timeoutMs: 4_000 },
      { topics: [{ name: topic, partitions: [{ partitionIndex: partition, offset }] }], timeoutMs: 3_000 },
    );
    const answer = topics[0]?.partitions[0];
    expectNone(answer?.errorCode ?? ErrorCode.unknownServerError);
    invocation.complete("ok", [step]);
    this.#trims.answer(key, offset);
    if ((answer?.lowWatermark ?? 0) < offset) {
      this.#client.violate(
        "startTooLow",
        `${key} starts at ${answer?.lowWatermark} after a trim to ${offset}`,
      );
    }
  }

  /** A change of a register: open unless it is answered. A refusal that is final means that nothing was changed. */
  async #write(register: string, value: number | undefined, change: () => Promise<void>): Promise<void> {
    const { recorder, name } = this.#client.options;
    const step: Step = { kind: "write", register, value };
    const invocation = recorder.invoke(name, [step]);
    try {
      await change();
    } catch (error) {
      if (error instanceof Refused && !isPassing(error)) invocation.complete("failed", [step]);
      throw error;
    }
    invocation.complete("ok", [step]);
  }
}

/** What an administrator of several nodes is told when some are missing, or when the one asked is not up to date. */
const explicable: ReadonlySet<number> = new Set([
  ErrorCode.invalidReplicationFactor,
  ErrorCode.invalidReplicaAssignment,
  ErrorCode.topicAlreadyExists,
  ErrorCode.noReassignmentInProgress,
]);

function isExplicable(error: unknown): boolean {
  return error instanceof Refused && explicable.has(error.errorCode);
}

/** Reads and records a topic's config. @throws Unanswered, Refused */
export async function readConfig(
  client: ClusterClient,
  topic: string,
  reading: RegisterReading,
): Promise<void> {
  await record(client, { ...reading, register: configRegister(topic) }, async () => {
    const { results } = await client.ask(DescribeConfigs, {
      resources: [{ resourceType: topicResource, resourceName: topic, configurationKeys: [alteredConfig] }],
      includeSynonyms: false,
    });
    const result = results[0];
    expectNone(result?.errorCode ?? ErrorCode.unknownServerError);
    const entry = result?.configs.find(({ name }) => name === alteredConfig);
    const isSet = entry?.configSource === 1;
    return isSet ? Number(entry.value) : undefined;
  });
}

/** Reads and records whether a topic is there. @throws Unanswered, Refused */
export async function readTopicExistence(
  client: ClusterClient,
  topic: string,
  reading: RegisterReading,
): Promise<boolean> {
  const value = await record(client, { ...reading, register: topicRegister(topic) }, async () => {
    const { topics } = await client.ask(
      Metadata,
      { topics: [{ name: topic }], allowAutoTopicCreation: false },
      { min: 4 },
    );
    const errorCode = topics[0]?.errorCode ?? ErrorCode.unknownServerError;
    if (errorCode === ErrorCode.unknownTopicOrPartition) return undefined;
    expectNone(errorCode);
    return 1;
  });
  return value === 1;
}

async function record(
  client: ClusterClient,
  { register, isFresh }: RegisterReading & { readonly register: string },
  read: () => Promise<number | undefined>,
): Promise<number | undefined> {
  const { recorder, name }: { recorder: Recorder; name: string } = client.options;
  if (!isFresh) return await read();
  const invocation = recorder.invoke(name, []);
  const value = await read();
  invocation.complete("ok", [{ kind: "read", register, value }]);
  return value;
}
