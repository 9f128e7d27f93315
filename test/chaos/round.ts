import { rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Admin } from "kafkajs";
import { Random } from "../fuzz/random.ts";
import { waitUntil, within } from "../integration/wait-until.ts";
import { ChaosCluster } from "./chaos-cluster.ts";
import { checkPartition, type ReplicaLog } from "./check-logs.ts";
import { CommitWatch } from "./commit-watch.ts";
import { History } from "./history.ts";
import { KafkajsLoad, type LoadTarget, patientClient } from "./kafkajs-load.ts";
import { LibrdkafkaLoad, librdkafkaMissing } from "./librdkafka-load.ts";
import { type Plan, planOf } from "./plan.ts";
import { readReplicaLog } from "./replica-logs.ts";
import { Striker } from "./striker.ts";

export interface RoundOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** Where everything is written, empty; removed unless something is wrong. */
  readonly directory: string;
  /** Whether one node gets a disk that can be filled and broken. */
  readonly hasDisk: boolean;
  /** Ends the round early, and all its processes. */
  readonly signal?: AbortSignal;
  readonly tell: (line: string) => void;
}

export interface RoundResult {
  readonly violations: readonly string[];
  /** What happened, in one line. */
  readonly summary: string;
}

const topic = "chaos";
const partitionCount = 4;
const recoveryMsMax = 90_000;
/** Lines of each node's log that are told where something is wrong. */
const toldLines = 40;

const settings = {
  "broker.session.timeout.ms": "2500",
  "leader.imbalance.check.interval.seconds": "2",
  "group.min.session.timeout.ms": "1000",
  "offsets.topic.num.partitions": "4",
};
const smallJournals = { "millrace.journal.file.bytes": "1048576", "millrace.journal.files.max": "4" };

/** One seed: a fresh cluster under load, all strikes of its plan, then peace, and the check of everything. */
export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const { seed, durationMs, directory, hasDisk, signal, tell } = options;
  const plan = planOf(seed, { durationMs, hasDisk });
  const history = new History((silentMs) => tell(`acknowledges again after ${Math.round(silentMs)} ms`));
  await mkdir(directory, { recursive: true });
  const cluster = await ChaosCluster.start(directory, {
    settings: { ...settings, ...(plan.hasSmallJournals && smallJournals) },
    hasDisk,
  });
  try {
    const round = new Round(cluster, { plan, history, random: new Random(seed ^ 0x5eed), tell });
    const aborted = new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
    const run = round.run().catch((error: unknown) => history.violate(String(error)));
    await Promise.race([run, aborted]);
  } finally {
    await cluster[Symbol.asyncDispose]();
  }
  if (history.violations.length === 0) rmSync(directory, { recursive: true, force: true });
  const reasons = Array.from(history.givenUp, ([reason, count]) => `${count} × ${reason}`);
  const summary = [
    `seed ${seed}: ${plan.strikes.length} strikes`,
    `${history.acknowledged.size} records acknowledged, ${history.unknown.size} given up${reasons.length > 0 ? ` (${reasons.join(", ")})` : ""}`,
    `${history.consumedCount} read, ${history.commitCount} commits`,
    `longest silence ${Math.round(history.longestSilenceMs)} ms`,
    `${history.violations.length} violations`,
  ].join(" · ");
  return { violations: history.violations, summary };
}

class Round {
  readonly #cluster: ChaosCluster;
  readonly #plan: Plan;
  readonly #history: History;
  readonly #random: Random;
  readonly #tell: (line: string) => void;

  constructor(
    cluster: ChaosCluster,
    parts: { plan: Plan; history: History; random: Random; tell: (line: string) => void },
  ) {
    this.#cluster = cluster;
    this.#plan = parts.plan;
    this.#history = parts.history;
    this.#random = parts.random;
    this.#tell = parts.tell;
  }

  async run(): Promise<void> {
    const { bootstrapServers } = this.#cluster.nodes;
    // Who waits long for an answer of a busy machine need not ask again.
    const admin = patientClient(bootstrapServers, "chaos-admin", { requestTimeout: 40_000 }).admin();
    await admin.connect();
    await admin.createTopics({
      timeout: 30_000,
      topics: [
        {
          topic,
          numPartitions: partitionCount,
          replicationFactor: 3,
          configEntries: [{ name: "segment.bytes", value: "1048576" }],
        },
      ],
    });
    const target = { bootstrapServers, topic, partitionCount, recordBytes: this.#plan.recordBytes };
    const loads = this.#startLoads(target);
    const watch = new CommitWatch(this.#history, {
      ...{ admin, topic, partitionCount },
      groups: loads.map(({ group }) => group),
    });
    try {
      await waitUntil("all clients at work", () => this.#areAllAtWork(loads), 60_000);
      await this.#strikeAll();
      await this.#recover();
      await within(
        "the last acknowledgements",
        Promise.all(loads.map((load) => load.stopWriting())),
        140_000,
      );
      await this.#groupsFinish(admin, loads);
      await watch.stop();
    } catch (error) {
      this.#history.violate(String(error));
    } finally {
      await watch.stop();
      if (this.#history.violations.length > 0) await this.#tellOfAll(loads);
      await Promise.all(loads.map((load) => load.close()));
      await admin.disconnect().catch(() => undefined);
    }
    await this.#stopAll();
    await this.#checkLogs();
  }

  /** What is known of those that took part, where something is wrong. */
  async #tellOfAll(loads: readonly (KafkajsLoad | LibrdkafkaLoad)[]): Promise<void> {
    for (const { nodeId, log } of this.#cluster.nodes.nodes) {
      const loud = log.filter((line) => !line.includes('"level":30')).slice(-toldLines);
      this.#tell(`node ${nodeId}:\n${loud.join("\n")}`);
    }
    for (const load of loads) {
      if (load instanceof LibrdkafkaLoad) this.#tell(`librdkafka:\n${await load.describe()}`);
    }
  }

  #startLoads(target: LoadTarget): (KafkajsLoad | LibrdkafkaLoad)[] {
    const kafkajs = new KafkajsLoad(target, this.#history, { writers: 2, group: "kafkajs" });
    for (let member = 0; member < 2; member++) {
      kafkajs.join().catch((error: unknown) => this.#history.violate(`kafkajs: ${String(error)}`));
    }
    if (librdkafkaMissing) {
      this.#tell(`without librdkafka: ${librdkafkaMissing}`);
      return [kafkajs];
    }
    const logPath = join(this.#cluster.directory, "librdkafka.log");
    const options = { members: 2, group: "librdkafka", logPath };
    return [kafkajs, new LibrdkafkaLoad(target, this.#history, options)];
  }

  #areAllAtWork(loads: readonly { group: string }[]): boolean {
    const { acknowledged } = this.#history;
    const hasRead = loads.every(({ group }) => this.#history.progress(group, 0) > 0);
    return (
      hasRead &&
      loads.every(({ group }) => acknowledged.has(group === "kafkajs" ? "kafkajs-0-0.0:0" : "librdkafka-0:0"))
    );
  }

  async #strikeAll(): Promise<void> {
    const striker = new Striker({
      cluster: this.#cluster,
      topic,
      random: this.#random,
      violate: (text) => this.#history.violate(text),
      tell: this.#tell,
    });
    for (const planned of this.#plan.strikes) {
      striker.begin(planned);
      await sleep(planned.nextAfterMs);
      this.#noticeDeaths();
      if (this.#history.violations.length > 0) break;
    }
    await striker.settled();
  }

  #noticeDeaths(): void {
    for (const node of this.#cluster.strayDeaths()) {
      this.#history.violate(`node ${node.nodeId} ended by itself:\n${node.log.slice(-12).join("\n")}`);
    }
  }

  /** All nodes serve, and what is written is acknowledged. */
  async #recover(): Promise<void> {
    const { nodes } = this.#cluster;
    await Promise.all(nodes.nodes.map((node) => node.untilServing()));
    const healedMs = performance.now();
    await waitUntil(
      "records acknowledged after all is well",
      () => this.#history.lastAcknowledgedMs > healedMs,
      recoveryMsMax,
    );
  }

  /** Each group reads everything and commits its end. */
  async #groupsFinish(admin: Admin, loads: readonly { group: string }[]): Promise<void> {
    // A leader that has just begun to lead has no answer yet, and kafkajs does not ask again.
    const ends = await waitUntil(
      "the ends of all partitions",
      () => admin.fetchTopicOffsets(topic).catch(() => undefined),
      recoveryMsMax,
    );
    for (const { partition, high } of ends) {
      for (const { group } of loads) {
        await waitUntil(
          `${group} at the end ${high} of partition ${partition}`,
          () => this.#history.committedAtLeast(group, partition) >= Number(high),
          recoveryMsMax,
        ).catch((error: unknown) => this.#history.violate(String(error)));
        const missing = this.#history.missing(group, partition, Number(high));
        if (missing.length === 0) continue;
        this.#history.violate(
          `${group} never read ${missing.length} of ${high} offsets of partition ${partition}, from ${missing[0]} on`,
        );
      }
    }
  }

  async #stopAll(): Promise<void> {
    this.#noticeDeaths();
    await Promise.all(
      this.#cluster.nodeIds.map(async (nodeId) => {
        const code = await within(`node ${nodeId}'s end`, this.#cluster.stop(nodeId), 60_000);
        if (code !== 0) this.#history.violate(`node ${nodeId} was told to stop and ended with ${code}`);
      }),
    );
  }

  async #checkLogs(): Promise<void> {
    for (let partition = 0; partition < partitionCount; partition++) {
      const replicas = new Map<number, ReplicaLog>();
      for (const nodeId of this.#cluster.nodeIds) {
        const log = await readReplicaLog(this.#cluster.dataDirectory(nodeId), `${topic}-${partition}`);
        replicas.set(nodeId, log);
      }
      checkPartition(this.#history, partition, replicas);
    }
  }
}
