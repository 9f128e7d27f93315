import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, { type Admin } from "kafkajs";
import type { Random } from "../fuzz/random.ts";
import { within } from "../integration/wait-until.ts";
import { type ChaosCluster, diskNodeId } from "./chaos-cluster.ts";
import type { Direction } from "./node-links.ts";
import { describeStrike, type PlannedStrike, type Role, roleOf } from "./plan.ts";

export interface StrikerOptions {
  readonly cluster: ChaosCluster;
  readonly topic: string;
  readonly random: Random;
  /** Something that a node does is as it must not be. */
  readonly violate: (text: string) => void;
  readonly tell: (line: string) => void;
}

const diskDeathMsMax = 15_000;
const stopMsMax = 30_000;

/** Does to the cluster what a plan says, and takes it back. */
export class Striker {
  readonly #options: StrikerOptions;
  readonly #admin: Admin;
  /** Nodes whose process is being struck: the next strike takes others. */
  readonly #struck = new Set<number>();
  #isDiskStruck = false;
  readonly #running = new Set<Promise<void>>();

  constructor(options: StrikerOptions) {
    this.#options = options;
    // Who is asked for roles may be gone: then any node will do.
    this.#admin = new kafkajs.Kafka({
      clientId: "chaos-striker",
      brokers: options.cluster.nodes.bootstrapServers,
      logLevel: kafkajs.logLevel.NOTHING,
      connectionTimeout: 300,
      requestTimeout: 800,
      retry: { initialRetryTime: 50, maxRetryTime: 100, retries: 2 },
    }).admin();
  }

  /** Begins a strike; `settled` tells when all have been taken back. */
  begin(planned: PlannedStrike): void {
    const run = this.#strike(planned).catch((error: unknown) => this.#options.violate(String(error)));
    this.#running.add(run);
    void run.finally(() => this.#running.delete(run));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
    await this.#admin.disconnect().catch(() => undefined);
  }

  async #strike(planned: PlannedStrike): Promise<void> {
    const { strike, lastsMs } = planned;
    const { cluster, tell } = this.#options;
    const role = roleOf(strike);
    const nodeId = role ? await this.#nodeOf(role) : diskNodeId;
    tell(`${describeStrike(planned)}${role ? `: node ${nodeId}` : ""}`);
    switch (strike.kind) {
      case "kill":
        return await this.#kill([nodeId], lastsMs);
      case "killTwo":
        return await this.#kill(this.#shuffled().slice(1), lastsMs);
      case "killAll":
        return await this.#kill(cluster.nodeIds, lastsMs);
      case "stop":
        return await this.#stop(nodeId, lastsMs);
      case "pause":
        return await this.#pause([nodeId], lastsMs);
      case "pauseTwo":
        return await this.#pause(this.#shuffled().slice(1), lastsMs);
      case "isolate":
        return await this.#cut(cluster.around(nodeId, "both"), lastsMs);
      case "mute":
        return await this.#cut(cluster.around(nodeId, "out"), lastsMs);
      case "deafen":
        return await this.#cut(cluster.around(nodeId, "in"), lastsMs);
      case "cutPair":
        return await this.#cut(this.#pair(), lastsMs);
      case "scatter":
        return await this.#cut(
          cluster.nodeIds.flatMap((id) => cluster.around(id, "out")),
          lastsMs,
        );
      case "reset":
        return cluster.links.reset();
      case "fillDisk":
        return await this.#fillDisk(lastsMs);
      case "breakDisk":
        return await this.#breakDisk(lastsMs);
      default:
        strike satisfies never;
    }
  }

  /** Ends processes as a crash does. All that are wanted are ended at once. */
  async #kill(wanted: readonly number[], lastsMs: number): Promise<void> {
    await this.#holding(wanted, async (nodeIds) => {
      const { cluster } = this.#options;
      await Promise.all(nodeIds.map((nodeId) => cluster.kill(nodeId)));
      await sleep(lastsMs);
      for (const nodeId of nodeIds) cluster.start(nodeId);
    });
  }

  async #stop(wanted: number, lastsMs: number): Promise<void> {
    await this.#holding([wanted], async ([nodeId]) => {
      const { cluster, violate } = this.#options;
      if (nodeId === undefined) return;
      const wasServing = cluster.nodes.node(nodeId).isServing;
      const code = await within(`node ${nodeId}'s end`, cluster.stop(nodeId), stopMsMax);
      // One that has just begun may not know the signal yet.
      if (wasServing && code !== 0) violate(`node ${nodeId} was told to stop and ended with ${code}`);
      await sleep(lastsMs);
      cluster.start(nodeId);
    });
  }

  async #pause(wanted: readonly number[], lastsMs: number): Promise<void> {
    await this.#holding(wanted, async (nodeIds) => {
      const { cluster } = this.#options;
      for (const nodeId of nodeIds) cluster.pause(nodeId);
      await sleep(lastsMs);
      for (const nodeId of nodeIds) cluster.resume(nodeId);
    });
  }

  async #cut(directions: readonly Direction[], lastsMs: number): Promise<void> {
    const { links } = this.#options.cluster;
    links.block(directions);
    await sleep(lastsMs);
    links.unblock(directions);
  }

  async #fillDisk(lastsMs: number): Promise<void> {
    const { disk } = this.#options.cluster;
    if (this.#isDiskStruck || !disk) return;
    this.#isDiskStruck = true;
    await disk.fill();
    await sleep(lastsMs);
    disk.empty();
    this.#isDiskStruck = false;
  }

  /** A node ends by itself when its disk fails: nothing is known of what it has written. */
  async #breakDisk(lastsMs: number): Promise<void> {
    await this.#holding([diskNodeId], async ([nodeId]) => {
      const { cluster, violate } = this.#options;
      const { disk } = cluster;
      if (nodeId !== diskNodeId || !disk || this.#isDiskStruck) return;
      this.#isDiskStruck = true;
      cluster.mayEnd(nodeId);
      disk.break();
      const node = cluster.nodes.node(nodeId);
      const deadlineMs = performance.now() + diskDeathMsMax;
      while (node.isRunning && performance.now() < deadlineMs) await sleep(50);
      if (node.isRunning) violate(`node ${nodeId} lives on with a disk that cannot be written`);
      await cluster.kill(nodeId);
      await sleep(lastsMs);
      disk.repair();
      this.#isDiskStruck = false;
      cluster.start(nodeId);
    });
  }

  /** Runs with those of the nodes that nothing else strikes now. */
  async #holding(
    wanted: readonly number[],
    run: (nodeIds: readonly number[]) => Promise<void>,
  ): Promise<void> {
    const nodeIds = wanted.filter((nodeId) => !this.#struck.has(nodeId));
    for (const nodeId of nodeIds) this.#struck.add(nodeId);
    try {
      await run(nodeIds);
    } finally {
      for (const nodeId of nodeIds) this.#struck.delete(nodeId);
    }
  }

  async #nodeOf(role: Role): Promise<number> {
    const { topic, random } = this.#options;
    const [any = 1] = this.#shuffled();
    if (role === "any") return any;
    try {
      if (role === "controller") return (await this.#admin.describeCluster()).controller ?? any;
      const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] });
      const partitions = topics[0]?.partitions ?? [];
      const leader = partitions[random.below(partitions.length)]?.leader ?? -1;
      if (role === "leader") return leader < 1 ? any : leader;
      return this.#shuffled().find((nodeId) => nodeId !== leader) ?? any;
    } catch {
      return any;
    }
  }

  #pair(): Direction[] {
    const [from = 1, to = 2] = this.#shuffled();
    return [
      { from, to },
      { from: to, to: from },
    ];
  }

  #shuffled(): number[] {
    const { cluster, random } = this.#options;
    return cluster.nodeIds
      .map((nodeId) => ({ nodeId, at: random.below(1 << 20) }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ nodeId }) => nodeId);
  }
}
