import { ErrorCode } from "#protocol/error-codes.ts";
import { DescribeLogDirs } from "#protocol/messages/describe-log-dirs.ts";
import type { Arguments } from "../arguments.ts";
import { ConnectionError, RefusedError, UnservedApiError } from "../client/client-errors.ts";
import type { Cluster, TopicMetadata } from "../client/cluster.ts";
import { listOffsets, specialTimes } from "../client/offsets.ts";
import { PartitionLeaders, partitionKey, type TopicPartition } from "../client/partition-leaders.ts";
import { connectCluster } from "../connect.ts";
import { type ExitCode, exitCodes } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { formatBytes, formatCount } from "../quantities.ts";
import { styled } from "../style.ts";
import { type Cell, formatTable } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import type { World } from "../world.ts";
import { readTopicConfigs } from "./topic-configs.ts";

/** A topic as `--json` shows it. */
interface DescribedTopic {
  readonly name: string;
  readonly id: string;
  readonly configs: Readonly<Record<string, string | null>>;
  readonly partitions: readonly {
    readonly partition: number;
    readonly leader: number;
    readonly replicas: readonly number[];
    readonly inSyncReplicas: readonly number[];
    readonly startOffset: number | null;
    readonly endOffset: number | null;
    /** Of the largest replica; null where no broker tells. */
    readonly sizeBytes: number | null;
  }[];
}

/** `millrace topics describe`. */
export async function describeTopics(given: Arguments, world: World): Promise<ExitCode> {
  using cluster = await connectCluster(given, world);
  const leaders = new PartitionLeaders(cluster);
  const names = [...new Set(given.words)];
  await leaders.learn(names);
  const { topics } = await cluster.metadata(names);
  const sizes = await readSizes(cluster, names);
  const described: DescribedTopic[] = [];
  for (const topic of topics) described.push(await describe(cluster, { topic, leaders, sizes }));

  if (given.has("json")) await writeJson(world.terminal, described);
  else for (const topic of described) await show(topic, world.terminal);
  return exitCodes.ok;
}

async function describe(
  cluster: Cluster,
  parts: { topic: TopicMetadata; leaders: PartitionLeaders; sizes: ReadonlyMap<string, number> },
): Promise<DescribedTopic> {
  const { topic, leaders, sizes } = parts;
  const name = topic.name ?? "";
  const partitions = leaders
    .partitionsOf(name)
    .map((partition): TopicPartition => ({ topic: name, partition }));
  const starts = await listOffsets(cluster, leaders, { partitions, timestampMs: specialTimes.beginning });
  const ends = await listOffsets(cluster, leaders, { partitions, timestampMs: specialTimes.end });
  const configs = await readTopicConfigs(cluster, name);
  return {
    name,
    id: topic.topicId,
    configs: Object.fromEntries(
      configs.filter(({ source }) => source === "topic").map(({ name: key, value }) => [key, value]),
    ),
    partitions: topic.partitions
      .toSorted((left, right) => left.partitionIndex - right.partitionIndex)
      .map(({ partitionIndex: partition, leaderId, replicaNodes, isrNodes }) => {
        const key = partitionKey({ topic: name, partition });
        return {
          partition,
          leader: leaderId,
          replicas: replicaNodes,
          inSyncReplicas: isrNodes,
          startOffset: starts.get(key) ?? null,
          endOffset: ends.get(key) ?? null,
          sizeBytes: sizes.get(key) ?? null,
        };
      }),
  };
}

/** Bytes of each partition's largest replica; empty where the cluster does not tell. */
async function readSizes(cluster: Cluster, topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (const nodeId of cluster.nodeIds) {
    try {
      const connection = await cluster.connectionTo(nodeId);
      const { results } = await connection.request(DescribeLogDirs, { topics: null });
      for (const { topic, partition, sizeBytes } of results.flatMap(replicasOf)) {
        const key = partitionKey({ topic, partition });
        if (topics.includes(topic)) sizes.set(key, Math.max(sizes.get(key) ?? 0, sizeBytes));
      }
    } catch (error) {
      // Not every cluster serves it, or to everyone, and a broker may just be gone: the rest of the picture is worth showing.
      const isDenied =
        error instanceof RefusedError && error.errorCode === ErrorCode.clusterAuthorizationFailed;
      const isGone = error instanceof ConnectionError;
      if (!(error instanceof UnservedApiError) && !isDenied && !isGone) throw error;
    }
  }
  return sizes;
}

function replicasOf(directory: {
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly partitionIndex: number; readonly partitionSize: number }[];
  }[];
}): readonly (TopicPartition & { readonly sizeBytes: number })[] {
  return directory.topics.flatMap(({ name: topic, partitions }) =>
    partitions.map(({ partitionIndex: partition, partitionSize: sizeBytes }) => ({
      topic,
      partition,
      sizeBytes,
    })),
  );
}

async function show({ name, id, configs, partitions }: DescribedTopic, terminal: Terminal): Promise<void> {
  await terminal.write(`${styled(name, "bold", terminal.hasColour)}  id ${id}\n`);
  for (const [key, value] of Object.entries(configs)) await terminal.write(`  ${key}=${value ?? ""}\n`);
  const columns = [
    { title: "PARTITION", isNumber: true },
    { title: "LEADER", isNumber: true },
    { title: "REPLICAS" },
    { title: "IN SYNC" },
    { title: "START", isNumber: true },
    { title: "END", isNumber: true },
    { title: "SIZE", isNumber: true },
  ];
  const rows = partitions.map((one): readonly Cell[] => {
    const inSync = one.inSyncReplicas.join(",");
    const isBehind = one.inSyncReplicas.length < one.replicas.length;
    return [
      one.partition,
      one.leader,
      one.replicas.join(","),
      isBehind ? { text: inSync, style: "yellow" } : inSync,
      one.startOffset === null ? "-" : formatCount(one.startOffset),
      one.endOffset === null ? "-" : formatCount(one.endOffset),
      one.sizeBytes === null ? "-" : formatBytes(one.sizeBytes),
    ];
  });
  await terminal.write(`${formatTable(columns, rows, terminal)}\n`);
}
