import { apiByKey } from "#protocol/apis.ts";
import { DescribeLogDirs } from "#protocol/messages/describe-log-dirs.ts";
import type { Arguments } from "../arguments.ts";
import { ConnectionError, RefusedError, UnservedApiError } from "../client/client-errors.ts";
import type { Cluster } from "../client/cluster.ts";
import { connectCluster } from "../connect.ts";
import { type ExitCode, exitCodes } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { formatBytes } from "../quantities.ts";
import { type Cell, formatFields, formatTable } from "../table.ts";
import type { World } from "../world.ts";

/** What a broker's directories hold; undefined where it does not tell. */
interface DiskUse {
  readonly directories: readonly {
    readonly path: string;
    readonly usedBytes: number;
    /** -1 where the broker is too old to tell. */
    readonly freeBytes: number;
    readonly totalBytes: number;
  }[];
}

/** `millrace cluster`; reaching a broker and its answer are the whole of a health check. */
export async function describeCluster(given: Arguments, world: World): Promise<ExitCode> {
  using cluster = await connectCluster(given, world);
  if (given.has("apis")) return await showApis(cluster, given, world);

  const { clusterId, controllerId, brokers, topics } = await cluster.metadata("all");
  const described = await Promise.all(
    brokers
      .toSorted((left, right) => left.nodeId - right.nodeId)
      .map(async ({ nodeId, host, port, rack }) => ({
        id: nodeId,
        host,
        port,
        rack,
        isController: nodeId === controllerId,
        ...(await diskUseOf(cluster, nodeId)),
      })),
  );
  const own = topics.filter(({ isInternal }) => !isInternal);
  const partitions = topics.flatMap((topic) => topic.partitions);
  const summary = {
    clusterId,
    controllerId,
    topicCount: own.length,
    partitionCount: own.flatMap((topic) => topic.partitions).length,
    internalPartitionCount: partitions.length - own.flatMap((topic) => topic.partitions).length,
    leaderlessPartitionCount: partitions.filter(({ leaderId }) => leaderId < 0).length,
    underReplicatedPartitionCount: partitions.filter((one) => one.isrNodes.length < one.replicaNodes.length)
      .length,
  };
  if (given.has("json")) await writeJson(world.terminal, { ...summary, brokers: described });
  else await show(summary, described, world);
  return exitCodes.ok;
}

async function show(
  summary: {
    readonly clusterId: string | null;
    readonly topicCount: number;
    readonly partitionCount: number;
    readonly internalPartitionCount: number;
    readonly leaderlessPartitionCount: number;
    readonly underReplicatedPartitionCount: number;
  },
  brokers: readonly ({
    readonly id: number;
    readonly host: string;
    readonly port: number;
    readonly rack: string | null;
    readonly isController: boolean;
  } & Partial<DiskUse>)[],
  { terminal }: World,
): Promise<void> {
  const { leaderlessPartitionCount: leaderless, underReplicatedPartitionCount: behind } = summary;
  const troubles = [
    ...(leaderless > 0 ? [`${leaderless} without a leader`] : []),
    ...(behind > 0 ? [`${behind} under-replicated`] : []),
  ];
  const health: Cell =
    troubles.length > 0
      ? { text: troubles.join(", "), style: leaderless > 0 ? "red" : "yellow" }
      : { text: "all partitions are led and in sync", style: "green" };
  await terminal.write(
    formatFields(
      [
        ["Cluster", summary.clusterId ?? "(no id)"],
        ["Topics", summary.topicCount],
        ["Partitions", `${summary.partitionCount}, and ${summary.internalPartitionCount} of internal topics`],
        ["Health", health],
      ],
      terminal,
    ),
  );
  const columns = [
    { title: "BROKER", isNumber: true },
    { title: "ADDRESS" },
    { title: "RACK" },
    { title: "ROLE" },
    { title: "USED", isNumber: true },
    { title: "FREE", isNumber: true },
  ];
  const rows = brokers.map(({ id, host, port, rack, isController, directories }) => [
    id,
    `${host}:${port}`,
    rack ?? "-",
    isController ? "controller" : "-",
    directories ? formatBytes(directories.reduce((sum, { usedBytes }) => sum + usedBytes, 0)) : "-",
    directories?.every(({ freeBytes }) => freeBytes >= 0)
      ? formatBytes(Math.min(...directories.map(({ freeBytes }) => freeBytes)))
      : "-",
  ]);
  await terminal.write(`\n${formatTable(columns, rows, terminal)}`);
}

async function showApis(cluster: Cluster, given: Arguments, { terminal }: World): Promise<ExitCode> {
  const apis = [...cluster.served]
    .map(([key, [min, max]]) => ({ key, name: apiByKey.get(key)?.name ?? "?", min, max }))
    .sort((left, right) => left.key - right.key);
  if (given.has("json")) {
    await writeJson(terminal, apis);
  } else {
    const columns = [{ title: "KEY", isNumber: true }, { title: "API" }, { title: "VERSIONS" }];
    const rows = apis.map(({ key, name, min, max }) => [
      key,
      name,
      min === max ? `${min}` : `${min} to ${max}`,
    ]);
    await terminal.write(formatTable(columns, rows, terminal));
  }
  return exitCodes.ok;
}

async function diskUseOf(cluster: Cluster, nodeId: number): Promise<Partial<DiskUse>> {
  try {
    const connection = await cluster.connectionTo(nodeId);
    const { results } = await connection.request(DescribeLogDirs, { topics: null });
    const directories = results.map(({ logDir, topics, usableBytes, totalBytes }) => ({
      path: logDir,
      usedBytes: topics
        .flatMap(({ partitions }) => partitions)
        .reduce((sum, { partitionSize }) => sum + partitionSize, 0),
      freeBytes: usableBytes,
      totalBytes,
    }));
    return { directories };
  } catch (error) {
    // One broker that is down, or does not tell, must not hide the others.
    const isExpected =
      error instanceof ConnectionError || error instanceof RefusedError || error instanceof UnservedApiError;
    if (!isExpected) throw error;
    return {};
  }
}
