import { ErrorCode } from "#protocol/error-codes.ts";
import { DescribeGroups } from "#protocol/messages/describe-groups.ts";
import { ConsumerProtocolAssignment } from "#protocol/messages/internal/consumer-protocol.ts";
import type { ResponseOutput } from "#protocol/schema/api.ts";
import { decodeVersioned } from "#protocol/schema/message.ts";
import type { Arguments } from "../arguments.ts";
import { expectAccepted, RefusedError } from "../client/client-errors.ts";
import type { Cluster } from "../client/cluster.ts";
import { fetchCommitted } from "../client/group-offsets.ts";
import { listOffsets, specialTimes } from "../client/offsets.ts";
import {
  comparePartitions,
  PartitionLeaders,
  partitionKey,
  type TopicPartition,
} from "../client/partition-leaders.ts";
import { connectCluster } from "../connect.ts";
import { type ExitCode, exitCodes } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { countOf, formatCount } from "../quantities.ts";
import { styled } from "../style.ts";
import { type Cell, formatTable } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import type { World } from "../world.ts";

type GroupAnswer = ResponseOutput<typeof DescribeGroups>["groups"][number];

/** A group as `--json` shows it. */
interface DescribedGroup {
  readonly name: string;
  readonly state: string;
  readonly assignor: string;
  readonly coordinator: number;
  readonly members: readonly {
    readonly memberId: string;
    readonly instanceId: string | null;
    readonly clientId: string;
    readonly host: string;
    readonly partitionCount: number;
  }[];
  readonly partitions: readonly DescribedPartition[];
  /** Of all partitions whose lag is known. */
  readonly lag: number;
}

interface DescribedPartition extends TopicPartition {
  /** Null where the group has stored none. */
  readonly offset: number | null;
  /** Null where the topic is gone. */
  readonly endOffset: number | null;
  readonly lag: number | null;
  readonly memberId: string | null;
  readonly clientId: string | null;
}

/** A coordinator that does not know a group says so, or calls it Dead: it depends on the version (KIP-1043). */
const deadState = "Dead";

/** `millrace groups describe`. */
export async function describeGroups(given: Arguments, world: World): Promise<ExitCode> {
  using cluster = await connectCluster(given, world);
  const described: DescribedGroup[] = [];
  for (const name of new Set(given.words)) described.push(await describe(cluster, name));
  if (given.has("json")) await writeJson(world.terminal, described);
  else for (const group of described) await show(group, world.terminal);
  return exitCodes.ok;
}

async function describe(cluster: Cluster, name: string): Promise<DescribedGroup> {
  const { group, coordinator } = await readGroup(cluster, name);
  const owners = new Map<string, TopicPartition & { memberId: string; clientId: string }>();
  for (const { memberId, clientId, memberAssignment } of group.members) {
    for (const partition of assignedTo(group, memberAssignment)) {
      owners.set(partitionKey(partition), { ...partition, memberId, clientId });
    }
  }
  const committed = await fetchCommitted(cluster, name, "all");
  const offsets = new Map(committed.map((one) => [partitionKey(one), one.offset]));
  const involved = new Map<string, TopicPartition>(
    [...committed, ...owners.values()].map(({ topic, partition }) => [
      partitionKey({ topic, partition }),
      { topic, partition },
    ]),
  );
  const ends = await endsOf(cluster, [...involved.values()]);
  const partitions = [...involved].map(([key, { topic, partition }]): DescribedPartition => {
    const offset = offsets.get(key) ?? null;
    const endOffset = ends.get(key) ?? null;
    const owner = owners.get(key);
    return {
      topic,
      partition,
      offset,
      endOffset,
      lag: offset === null || endOffset === null ? null : Math.max(0, endOffset - offset),
      memberId: owner?.memberId ?? null,
      clientId: owner?.clientId ?? null,
    };
  });
  return {
    name,
    state: group.groupState,
    assignor: group.protocolData,
    coordinator,
    members: group.members.map(({ memberId, groupInstanceId, clientId, clientHost, memberAssignment }) => ({
      memberId,
      instanceId: groupInstanceId,
      clientId,
      host: clientHost,
      partitionCount: assignedTo(group, memberAssignment).length,
    })),
    partitions: partitions.sort(comparePartitions),
    lag: partitions.reduce((sum, { lag }) => sum + (lag ?? 0), 0),
  };
}

async function readGroup(
  cluster: Cluster,
  name: string,
): Promise<{ group: GroupAnswer; coordinator: number }> {
  return await cluster.retry(async () => {
    const coordinator = await cluster.coordinatorOf(name);
    const connection = await cluster.connectionTo(coordinator);
    const { groups } = await connection.request(DescribeGroups, {
      groups: [name],
      includeAuthorizedOperations: false,
    });
    const [group] = groups;
    const action = `describe group "${name}"`;
    if (!group || group.groupState === deadState) throw new RefusedError(action, ErrorCode.groupIdNotFound);
    expectAccepted(action, group.errorCode, group.errorMessage);
    return { group, coordinator };
  });
}

function assignedTo({ protocolType }: GroupAnswer, assignment: Uint8Array): readonly TopicPartition[] {
  // Other protocols (Kafka Connect's) assign other things; a member may wait for its assignment.
  if (protocolType !== "consumer" || assignment.length === 0) return [];
  return decodeVersioned(ConsumerProtocolAssignment, assignment).assignedPartitions.flatMap(
    ({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })),
  );
}

/** Ends of those partitions whose topic is still there. */
async function endsOf(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, number>> {
  const names = [...new Set(partitions.map(({ topic }) => topic))];
  if (names.length === 0) return new Map();
  const { topics } = await cluster.metadata(names);
  const present = topics
    .filter(({ errorCode }) => errorCode === ErrorCode.none)
    .flatMap(({ name }) => name ?? []);
  if (present.length === 0) return new Map();
  const leaders = new PartitionLeaders(cluster);
  await leaders.learn(present);
  const there = partitions.filter(({ topic, partition }) => leaders.partitionsOf(topic).includes(partition));
  return await listOffsets(cluster, leaders, { partitions: there, timestampMs: specialTimes.end });
}

async function show(group: DescribedGroup, terminal: Terminal): Promise<void> {
  const { hasColour } = terminal;
  const facts = [
    group.state,
    countOf(group.members.length, "member"),
    ...(group.assignor ? [`assignor ${group.assignor}`] : []),
    `coordinator ${group.coordinator}`,
    `lag ${formatCount(group.lag)}`,
  ];
  await terminal.write(`${styled(group.name, "bold", hasColour)}  ${facts.join(", ")}\n`);
  const columns = [
    { title: "TOPIC" },
    { title: "PARTITION", isNumber: true },
    { title: "OFFSET", isNumber: true },
    { title: "END", isNumber: true },
    { title: "LAG", isNumber: true },
    { title: "CLIENT" },
    { title: "MEMBER" },
  ];
  const rows = group.partitions.map((one): readonly Cell[] => [
    one.topic,
    one.partition,
    one.offset === null ? "-" : formatCount(one.offset),
    one.endOffset === null ? { text: "gone", style: "red" } : formatCount(one.endOffset),
    lagCell(one.lag),
    one.clientId ?? "-",
    one.memberId ?? "-",
  ]);
  if (rows.length > 0) await terminal.write(formatTable(columns, rows, terminal));
  const idle = group.members.filter(({ partitionCount }) => partitionCount === 0);
  if (idle.length > 0) {
    const names = idle.map(({ memberId }) => memberId).join(", ");
    await terminal.write(`Members without a partition: ${names}\n`);
  }
  await terminal.write("\n");
}

function lagCell(lag: number | null): Cell {
  if (lag === null) return "-";
  return lag > 0 ? { text: formatCount(lag), style: "yellow" } : "0";
}
