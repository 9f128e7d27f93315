import { apiByKey } from "#protocol/apis.ts";
import { DescribeCluster } from "#protocol/messages/describe-cluster.ts";
import { DescribeLogDirs } from "#protocol/messages/describe-log-dirs.ts";
import { DescribeQuorum } from "#protocol/messages/describe-quorum.ts";
import type { Arguments } from "../arguments.ts";
import { formatAddress } from "../client/address.ts";
import { ConnectionError, RefusedError, UnservedApiError } from "../client/client-errors.ts";
import type { Cluster, MetadataAnswer } from "../client/cluster.ts";
import { loadOf, readNodeStates } from "../client/node-states.ts";
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

/** A broker as it is shown. */
interface ShownBroker extends Partial<DiskUse> {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  readonly isController: boolean;
  /** fenced: the cluster does not reach it · null where the brokers have no states. */
  readonly state: string | null;
  /** Its part in the metadata quorum; null where that is not told. */
  readonly quorumRole: "voter" | "observer" | null;
  readonly leaderCount: number;
  readonly replicaCount: number;
}

/** The first version of DescribeCluster that tells of brokers that are gone. */
const fencedSince = 2;

/** `millrace cluster`; reaching a broker and its answer are the whole of a health check. */
export async function describeCluster(given: Arguments, world: World): Promise<ExitCode> {
  using cluster = await connectCluster(given, world);
  if (given.has("apis")) return await showApis(cluster, given, world);

  const metadata = await cluster.metadata("all");
  const { clusterId, controllerId, topics } = metadata;
  const described = await describeBrokers(cluster, metadata);
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

async function describeBrokers(cluster: Cluster, metadata: MetadataAnswer): Promise<ShownBroker[]> {
  const brokers = await allBrokers(cluster, metadata);
  const ids = brokers.map(({ nodeId }) => nodeId);
  const states = await unlessUntold(readNodeStates(cluster, ids), new Map<number, string>());
  const roles = await unlessUntold(quorumRolesOf(cluster), new Map<number, "voter" | "observer">());
  return await Promise.all(
    brokers.map(async ({ nodeId, host, port, rack, isFenced }) => ({
      ...{ id: nodeId, host, port, rack },
      isController: nodeId === metadata.controllerId,
      state: [isFenced ? "fenced" : [], states.get(nodeId) ?? []].flat().join(", ") || null,
      quorumRole: roles.get(nodeId) ?? null,
      ...loadOf(metadata, nodeId),
      ...(isFenced ? {} : await unlessUntold<Partial<DiskUse>>(diskUseOf(cluster, nodeId), {})),
    })),
  );
}

/** Those that live, and where the cluster tells, those that do not. */
async function allBrokers(cluster: Cluster, { brokers }: MetadataAnswer) {
  const living = brokers.map((broker) => ({ ...broker, isFenced: false }));
  const [, versionMax] = cluster.served.get(DescribeCluster.key) ?? [0, -1];
  const answer =
    versionMax >= fencedSince
      ? await cluster.request(DescribeCluster, { includeFencedBrokers: true })
      : undefined;
  const fenced = (answer?.brokers ?? [])
    .filter(({ brokerId, isFenced }) => isFenced && living.every(({ nodeId }) => nodeId !== brokerId))
    .map(({ brokerId, ...place }) => ({ ...place, nodeId: brokerId }));
  return [...living, ...fenced].sort((left, right) => left.nodeId - right.nodeId);
}

async function quorumRolesOf(cluster: Cluster): Promise<ReadonlyMap<number, "voter" | "observer">> {
  const topics = [{ topicName: "__cluster_metadata", partitions: [{ partitionIndex: 0 }] }];
  const answer = await cluster.request(DescribeQuorum, { topics });
  const [partition] = answer.topics[0]?.partitions ?? [];
  return new Map([
    ...(partition?.observers ?? []).map(({ replicaId }) => [replicaId, "observer"] as const),
    ...(partition?.currentVoters ?? []).map(({ replicaId }) => [replicaId, "voter"] as const),
  ]);
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
  brokers: readonly ShownBroker[],
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
    { title: "STATE" },
    { title: "QUORUM" },
    { title: "LEADS", isNumber: true },
    { title: "REPLICAS", isNumber: true },
    { title: "USED", isNumber: true },
    { title: "FREE", isNumber: true },
  ];
  const rows = brokers.map(({ id, host, port, rack, directories, ...broker }): Cell[] => [
    id,
    formatAddress({ host, port }),
    rack ?? "-",
    stateCell(broker.state),
    broker.isController ? "controller" : (broker.quorumRole ?? "-"),
    broker.leaderCount,
    broker.replicaCount,
    directories ? formatBytes(directories.reduce((sum, { usedBytes }) => sum + usedBytes, 0)) : "-",
    directories?.every(({ freeBytes }) => freeBytes >= 0)
      ? formatBytes(Math.min(...directories.map(({ freeBytes }) => freeBytes)))
      : "-",
  ]);
  await terminal.write(`\n${formatTable(columns, rows, terminal)}`);
}

function stateCell(state: string | null): Cell {
  if (state === null || state === "active") return state ?? "-";
  return { text: state, style: state.startsWith("fenced") ? "red" : "yellow" };
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

async function diskUseOf(cluster: Cluster, nodeId: number): Promise<DiskUse> {
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
}

/** One broker that is down, or does not tell, must not hide what the others do. */
async function unlessUntold<T>(telling: Promise<T>, untold: T): Promise<T> {
  try {
    return await telling;
  } catch (error) {
    const isExpected =
      error instanceof ConnectionError || error instanceof RefusedError || error instanceof UnservedApiError;
    if (!isExpected) throw error;
    return untold;
  }
}
