import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type TemporaryDirectory, temporaryDirectory } from "../temporary-directory.ts";
import { type ClusterLayout, type ClusterNode, ThreeNodes } from "./three-nodes.ts";

type Settings = Readonly<Record<string, string>>;

/** Three nodes for all tests of a file, or of a `describe`: started before the first of them, gone after the last. */
export function shareThreeNodes(
  settings: Settings | ((directory: string) => Promise<Settings>) = {},
  layout: ClusterLayout = {},
): SharedNodes {
  const shared = new SharedNodes();
  beforeAll(() => shared.start(settings, layout));
  afterAll(() => shared.end());
  return shared;
}

/** A cluster that is there while tests run. */
export class SharedNodes {
  #directory: TemporaryDirectory | undefined;
  #cluster: ThreeNodes | undefined;
  readonly #guests: ClusterNode[] = [];

  async start(
    settings: Settings | ((directory: string) => Promise<Settings>),
    layout: ClusterLayout,
  ): Promise<void> {
    this.#directory = await temporaryDirectory();
    const { path } = this.#directory;
    const all = typeof settings === "function" ? await settings(path) : settings;
    this.#cluster = await ThreeNodes.start(path, all, layout);
  }

  async end(): Promise<void> {
    await Promise.all(this.#guests.map((node) => node.kill()));
    await this.#cluster?.kill();
    await this.#directory?.[Symbol.asyncDispose]();
  }

  /** Has a further node ended with the three. */
  invite(node: ClusterNode): ClusterNode {
    this.#guests.push(node);
    return node;
  }

  get directory(): string {
    if (!this.#directory) throw new Error("Cannot use the cluster: no test runs yet");
    return this.#directory.path;
  }

  get nodes(): readonly ClusterNode[] {
    return this.#running.nodes;
  }

  get bootstrapServers(): string[] {
    return this.#running.bootstrapServers;
  }

  node(nodeId: number): ClusterNode {
    return this.#running.node(nodeId);
  }

  kill(): Promise<void> {
    return this.#running.kill();
  }

  logTail(lines?: number): string {
    return this.#running.logTail(lines);
  }

  /** Where a node's data lies. */
  dataOf(nodeId: number): string {
    return join(this.directory, `node-${nodeId}`, "data");
  }

  /** A line of a node's properties file, "" for none. */
  async settingOf(nodeId: number, name: string): Promise<string> {
    const text = await readFile(join(this.directory, `node-${nodeId}`, "server.properties"), "utf8");
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${name}=`));
    return line?.slice(name.length + 1) ?? "";
  }

  /** Where other nodes reach a node. */
  async controllerPortOf(nodeId: number): Promise<number> {
    const listeners = await this.settingOf(nodeId, "listeners");
    return Number(/CONTROLLER:\/\/127\.0\.0\.1:(\d+)/.exec(listeners)?.[1]);
  }

  get #running(): ThreeNodes {
    if (!this.#cluster) throw new Error("Cannot use the cluster: no test runs yet");
    return this.#cluster;
  }
}
