import { ErrorCode } from "#protocol/error-codes.ts";
import { type Arguments, readInteger } from "../arguments.ts";
import { RefusedError } from "../client/client-errors.ts";
import type { Cluster } from "../client/cluster.ts";
import { type CommittedOffset, commitOffsets, fetchCommitted } from "../client/group-offsets.ts";
import {
  comparePartitions,
  PartitionLeaders,
  partitionKey,
  type TopicPartition,
} from "../client/partition-leaders.ts";
import { connectCluster } from "../connect.ts";
import { CommandError, type ExitCode, exitCodes, UsageError } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { parsePlace } from "../place.ts";
import { formatCount } from "../quantities.ts";
import { resolvePlace } from "../start-offsets.ts";
import { formatTable } from "../table.ts";
import type { World } from "../world.ts";

/** Who commits for a group without members. */
const outsider = { generationId: -1, memberId: "" } as const;

/** `millrace groups reset`. */
export async function resetGroup(given: Arguments, world: World): Promise<ExitCode> {
  const [groupId = ""] = given.words;
  const to = given.text("to");
  if (to === undefined) {
    throw new UsageError(
      'Cannot run "millrace groups reset": --to is missing, see "millrace groups reset --help"',
    );
  }
  const place = parsePlace("--to", to);
  const selection = given.texts("topic").map(readSelection);

  using cluster = await connectCluster(given, world);
  const committed = await fetchCommitted(cluster, groupId, "all");
  const leaders = new PartitionLeaders(cluster);
  const partitions = await select(selection, { committed, groupId, leaders });
  const base = new Map(committed.map((one) => [partitionKey(one), one.offset]));
  const moved = await resolvePlace(cluster, leaders, { place, partitions, base });
  if (given.has("execute")) await commit(cluster, groupId, moved);

  const changes = moved.toSorted(comparePartitions).map(({ topic, partition, offset }) => ({
    topic,
    partition,
    from: base.get(partitionKey({ topic, partition })) ?? null,
    to: offset,
  }));
  const { terminal } = world;
  if (given.has("json")) {
    await writeJson(terminal, { group: groupId, isExecuted: given.has("execute"), changes });
    return exitCodes.ok;
  }
  const columns = [
    { title: "TOPIC" },
    { title: "PARTITION", isNumber: true },
    { title: "FROM", isNumber: true },
    { title: "TO", isNumber: true },
  ];
  const rows = changes.map(({ topic, partition, from, to: offset }) => [
    topic,
    partition,
    from === null ? "-" : formatCount(from),
    formatCount(offset),
  ]);
  await terminal.write(formatTable(columns, rows, terminal));
  if (!given.has("execute")) terminal.writeError("Nothing was changed yet: --execute does it\n");
  return exitCodes.ok;
}

interface Selection {
  readonly topic: string;
  /** Undefined for all. */
  readonly partition: number | undefined;
}

/** A topic's name has no ":". */
function readSelection(text: string): Selection {
  const [topic = "", partition] = text.split(":");
  return {
    topic,
    partition: partition === undefined ? undefined : readInteger("--topic partition", partition, { min: 0 }),
  };
}

async function select(
  selection: readonly Selection[],
  parts: { committed: readonly CommittedOffset[]; groupId: string; leaders: PartitionLeaders },
): Promise<readonly TopicPartition[]> {
  const { committed, groupId, leaders } = parts;
  if (selection.length === 0) {
    if (committed.length === 0) {
      throw new CommandError(`Cannot reset group "${groupId}": it has no offsets`, {
        hint: "Name what it is to read with --topic TOPIC",
      });
    }
    await leaders.learn([...new Set(committed.map(({ topic }) => topic))]);
    return committed.map(({ topic, partition }) => ({ topic, partition }));
  }
  await leaders.learn([...new Set(selection.map(({ topic }) => topic))]);
  const selected = selection.flatMap(({ topic, partition }) =>
    (partition === undefined ? leaders.partitionsOf(topic) : [partition]).map((one) => ({
      topic,
      partition: one,
    })),
  );
  return [...new Map(selected.map((one) => [partitionKey(one), one])).values()];
}

async function commit(cluster: Cluster, groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
  try {
    await commitOffsets(cluster, { groupId, ...outsider }, offsets);
  } catch (error) {
    // A group with members takes offsets from them alone, and calls everyone else unknown.
    const hasMembers = error instanceof RefusedError && error.errorCode === ErrorCode.unknownMemberId;
    if (!hasMembers) throw error;
    throw new CommandError(`Cannot reset group "${groupId}": it has members`, {
      hint: `Stop them first: "millrace groups describe ${groupId}" shows them`,
      cause: error,
    });
  }
}
