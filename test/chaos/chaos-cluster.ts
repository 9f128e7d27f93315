import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type ClusterNode, ThreeNodes } from "../integration/cluster/three-nodes.ts";
import { BreakableDisk } from "./breakable-disk.ts";
import { type Direction, NodeLinks } from "./node-links.ts";

const nodeIds = [1, 2, 3] as const;
/** The node with a disk of its own. */
export const diskNodeId = 3;
const diskMib = 384;

/** Three brokers, the network between them, and a disk that can be broken where that is permitted. */
export class ChaosCluster implements AsyncDisposable {
  readonly nodes: ThreeNodes;
  readonly links: NodeLinks;
  readonly disk: BreakableDisk | undefined;
  readonly directory: string;
  /** Nodes whose processes are meant to run. */
  readonly #wanted = new Set<number>(nodeIds);

  static async start(
    directory: string,
    { settings, hasDisk }: { settings: Readonly<Record<string, string>>; hasDisk: boolean },
  ): Promise<ChaosCluster> {
    const links = new NodeLinks();
    const disk = hasDisk ? BreakableDisk.mount(directory, diskMib) : undefined;
    try {
      const nodes = await ThreeNodes.start(directory, settings, {
        route: (link) => links.open(link),
        dataDirectory: (nodeId) => (nodeId === diskNodeId && disk ? join(disk.path, "data") : undefined),
      });
      return new ChaosCluster({ directory, nodes, links, disk });
    } catch (error) {
      await links[Symbol.asyncDispose]();
      await disk?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(parts: {
    directory: string;
    nodes: ThreeNodes;
    links: NodeLinks;
    disk: BreakableDisk | undefined;
  }) {
    this.directory = parts.directory;
    this.nodes = parts.nodes;
    this.links = parts.links;
    this.disk = parts.disk;
  }

  get nodeIds(): readonly number[] {
    return nodeIds;
  }

  /** Directories of a node's partitions are in here. */
  dataDirectory(nodeId: number): string {
    return nodeId === diskNodeId && this.disk
      ? join(this.disk.path, "data")
      : join(this.directory, `node-${nodeId}`, "data");
  }

  /** Nodes that ended though nobody asked them to. */
  strayDeaths(): ClusterNode[] {
    return this.nodes.nodes.filter((node) => this.#wanted.has(node.nodeId) && !node.isRunning);
  }

  async kill(nodeId: number): Promise<void> {
    this.#wanted.delete(nodeId);
    await this.nodes.node(nodeId).kill();
  }

  async stop(nodeId: number): Promise<number | null> {
    this.#wanted.delete(nodeId);
    return await this.nodes.node(nodeId).terminate();
  }

  /** The node may end by itself from here on. */
  mayEnd(nodeId: number): void {
    this.#wanted.delete(nodeId);
  }

  /** Starts a node that was killed or stopped; it serves once it finds a majority. */
  start(nodeId: number): void {
    if (this.nodes.node(nodeId).isRunning) return;
    this.nodes.node(nodeId).start();
    this.#wanted.add(nodeId);
  }

  pause(nodeId: number): void {
    this.nodes.node(nodeId).signal("SIGSTOP");
  }

  resume(nodeId: number): void {
    this.nodes.node(nodeId).signal("SIGCONT");
  }

  /** Every direction between a node and the others. */
  around(nodeId: number, way: "out" | "in" | "both"): Direction[] {
    const others = nodeIds.filter((other) => other !== nodeId);
    return others.flatMap((other) => [
      ...(way === "in" ? [] : [{ from: nodeId, to: other }]),
      ...(way === "out" ? [] : [{ from: other, to: nodeId }]),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nodes.kill();
    await this.links[Symbol.asyncDispose]();
    await this.disk?.[Symbol.asyncDispose]();
  }

  /** Removes what the cluster has written; once disposed. */
  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
