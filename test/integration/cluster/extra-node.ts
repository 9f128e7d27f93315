import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { ClusterNode } from "./three-nodes.ts";

/** A node that the three of a cluster know nothing of, as its properties file describes it. */
export interface ExtraNode {
  readonly nodeId: number;
  /** Lines of the file beside the port and the place of its data. */
  readonly settings: Readonly<Record<string, string>>;
  /** What serves clients is asked for at this port; a controller alone has none. */
  readonly port?: number;
}

/** Writes the properties file of a further node; it is not started. */
export async function extraNode(
  directory: string,
  { nodeId, settings, port }: ExtraNode,
): Promise<ClusterNode> {
  const home = join(directory, `node-${nodeId}`);
  await mkdir(home, { recursive: true });
  const propertiesPath = join(home, "server.properties");
  const all = { "node.id": String(nodeId), "log.dirs": join(home, "data"), ...settings };
  const lines = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  await writeFile(propertiesPath, lines.join("\n"));
  return new ClusterNode({ nodeId, port: port ?? 0, propertiesPath });
}

/** A broker without a vote, with the properties that Kafka's own would have. */
export async function extraBroker(
  directory: string,
  { nodeId, voters, settings = {} }: { nodeId: number; voters: string; settings?: Record<string, string> },
): Promise<ClusterNode> {
  const port = await freePort();
  return await extraNode(directory, {
    nodeId,
    port,
    settings: {
      "process.roles": "broker",
      "controller.quorum.voters": voters,
      listeners: `PLAINTEXT://127.0.0.1:${port}`,
      "controller.listener.names": "CONTROLLER",
      "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
      "default.replication.factor": "3",
      "offsets.topic.replication.factor": "3",
      "group.initial.rebalance.delay.ms": "0",
      ...settings,
    },
  });
}
