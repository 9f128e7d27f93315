import type { FileSystem } from "#storage/io/file.ts";
import type { Plan } from "../plan/plan.ts";
import { SimulatedDisk } from "../world/disk.ts";
import { MemoryPool } from "../world/memory-pool.ts";
import type { World } from "../world/world.ts";
import { SimulatedNode } from "./node.ts";
import { nodeConfig } from "./node-config.ts";
import type { Watched } from "./watched.ts";

export interface ClusterOptions {
  readonly plan: Plan;
  readonly world: World;
  readonly watched: Watched;
  /** Lines of the brokers' logs, with the virtual time. */
  readonly onLogLine?: ((line: string) => void) | undefined;
  /** Puts a bug between the brokers and their disks. */
  readonly wrapFiles?: ((files: FileSystem) => FileSystem) | undefined;
}

const memory = new MemoryPool();

/** The nodes of a run, each with a disk of its own. */
export class SimulatedCluster {
  readonly nodes: ReadonlyMap<string, SimulatedNode>;

  constructor(options: ClusterOptions) {
    this.nodes = new Map(options.plan.hosts.map((host) => [host, newNode(host, options)]));
  }

  /** In the order of the plan's hosts. */
  get all(): SimulatedNode[] {
    return [...this.nodes.values()];
  }

  get isServing(): boolean {
    return this.all.every(({ state }) => state === "serving");
  }

  /** Starts those that are down: all of them, to begin with. */
  startDown(): void {
    for (const node of this.nodes.values()) if (node.state === "down") node.start();
  }
}

function newNode(
  host: string,
  { plan, world, watched, onLogLine, wrapFiles }: ClusterOptions,
): SimulatedNode {
  const { scheduler, network, streams } = world;
  const random = streams.stream(`disk/${host}`);
  return new SimulatedNode({
    host,
    config: nodeConfig(plan, host),
    scheduler,
    network,
    disk: new SimulatedDisk({ profile: plan.disk, scheduler, random }),
    streams,
    memory,
    marks: watched.marks,
    onViolation: watched.onViolation,
    wrapFiles,
    onLogLine:
      onLogLine && ((from, line) => onLogLine(`${(world.nowUs / 1_000).toFixed(3)} ${from} ${line.trim()}`)),
  });
}
