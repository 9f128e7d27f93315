import { DescribeCluster } from "#protocol/messages/describe-cluster.ts";
import { DescribeLogDirs } from "#protocol/messages/describe-log-dirs.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import type { BrokerFacts } from "./normalise.ts";
import { TopicNames } from "./topic-names.ts";
import { type Exchange, metTopic, Wire } from "./wire.ts";

/** One of the two brokers that are compared. */
export interface Peer {
  readonly bootstrapServers: string;
  readonly facts: BrokerFacts;
}

/** Learns what a broker calls itself. */
export async function meetPeer(bootstrapServers: string, nowMs: number): Promise<Peer> {
  const topics = new TopicNames();
  const place = { prefix: "meet", version: 0, nowMs, firstEpoch: 0 };
  await using wire = new Wire({ bootstrapServers, topics, ...place });
  const { clusterId } = await wire.ask(DescribeCluster, {});
  await wire.makeTopic(metTopic, { partitions: 1, configs: {} });
  const { topics: met } = await wire.ask(Metadata, { topics: [{ name: metTopic }] });
  const { results } = await wire.ask(DescribeLogDirs, { topics: null });
  const facts = {
    port: Number(bootstrapServers.split(":")[1]),
    clusterId,
    firstEpoch: met[0]?.partitions[0]?.leaderEpoch ?? 0,
    logDirectory: results[0]?.logDir ?? "",
    topics,
  };
  return { bootstrapServers, facts };
}

/** Does something on one broker and answers what was said. */
export async function perform(
  { bootstrapServers, facts }: Peer,
  run: (wire: Wire) => Promise<void>,
  { prefix, version, nowMs }: { prefix: string; version: number; nowMs: number },
): Promise<readonly Exchange[]> {
  const { topics, firstEpoch } = facts;
  await using wire = new Wire({ bootstrapServers, topics, firstEpoch, prefix, version, nowMs });
  await run(wire);
  return wire.exchanges;
}
