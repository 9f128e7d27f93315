import { type Arguments, readInteger } from "../arguments.ts";
import type { Cluster } from "../client/cluster.ts";
import { GroupMember } from "../client/group-member.ts";
import type { CommittedOffset } from "../client/group-offsets.ts";
import { PartitionLeaders, type TopicPartition } from "../client/partition-leaders.ts";
import { type ConsumedRecord, PartitionReader } from "../client/partition-reader.ts";
import { connectCluster } from "../connect.ts";
import { unescapeText } from "../escapes.ts";
import { type ExitCode, exitCodes, UsageError } from "../failure.ts";
import { type Place, parsePlace } from "../place.ts";
import { Progress } from "../progress.ts";
import { compileFormat, type RecordFormat } from "../record-format.ts";
import { recordToJson } from "../record-json.ts";
import { resolvePlace } from "../start-offsets.ts";
import type { World } from "../world.ts";

/** Records that are printed between two looks at signals and commits. */
const pollRecordsMax = 5_000;

const commitIntervalMs = 5_000;
const sessionTimeoutMs = 45_000;

/** `millrace consume`; Ctrl-C is the ordinary end. */
export async function consume(given: Arguments, world: World): Promise<ExitCode> {
  const options = readOptions(given);
  using cluster = await connectCluster(given, world);
  const leaders = new PartitionLeaders(cluster);
  await leaders.learn(options.topics);
  const reader = new PartitionReader(cluster, leaders, {
    isCommittedOnly: given.has("committed"),
    onOutOfRange: "beginning",
  });
  const output = new Output(options, world);
  const startOf = (partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> =>
    resolvePlace(cluster, leaders, { place: options.from, partitions });
  const isDone = (): boolean =>
    output.isInterrupted || output.countLeft === 0 || (options.endsAtEnd && reader.isAtEnd);

  if (options.groupId === undefined) {
    reader.assign(await startOf(selectPartitions(options, leaders)));
    while (!isDone()) await output.print(await reader.poll(Math.min(pollRecordsMax, output.countLeft)));
  } else {
    const member = new GroupMember(cluster, leaders, {
      groupId: options.groupId,
      topics: options.topics,
      sessionTimeoutMs,
      startOf,
    });
    await consumeAsMember({ member, reader, output, cluster, isDone });
  }
  output.finish();
  return exitCodes.ok;
}

interface Options {
  readonly topics: readonly string[];
  readonly from: Place;
  readonly groupId: string | undefined;
  /** Empty for all. */
  readonly partitions: readonly number[];
  readonly countMax: number;
  readonly endsAtEnd: boolean;
  readonly format: RecordFormat;
}

function readOptions(given: Arguments): Options {
  const topics = [...new Set(given.words)];
  const groupId = given.text("group");
  const partitions = given.texts("partition").map((text) => readInteger("--partition", text, { min: 0 }));
  const endsAtEnd = given.has("exit");
  if (groupId === "") throw new UsageError('Cannot use --group "": it is empty');
  if (partitions.length > 0 && groupId !== undefined) {
    throw new UsageError("Cannot use --partition with --group: a group shares out partitions itself");
  }
  if (given.has("from") && given.has("from-beginning")) {
    throw new UsageError("Cannot use --from with --from-beginning: both say where to begin");
  }
  const fallback = groupId !== undefined || endsAtEnd ? "beginning" : "end";
  const from = given.has("from-beginning") ? "beginning" : (given.text("from") ?? fallback);
  const place = parsePlace("--from", from);
  if (place.kind === "shift" && place.by > 0)
    throw new UsageError(`Cannot use --from "${from}": it is past the end`);
  return {
    topics,
    from: place,
    groupId,
    partitions,
    countMax: given.integer("count", { min: 1 }) ?? Number.POSITIVE_INFINITY,
    endsAtEnd,
    format: readFormat(given),
  };
}

function readFormat(given: Arguments): RecordFormat {
  const format = given.text("format");
  const separator = given.text("key-separator");
  const chosen = [format !== undefined, separator !== undefined, given.has("json")].filter(Boolean);
  if (chosen.length > 1) {
    throw new UsageError("Cannot use --format, --key-separator and --json together: each says how to print");
  }
  if (given.has("json")) return (record) => Buffer.from(`${recordToJson(record)}\n`);
  if (format !== undefined) return compileFormat(format);
  if (separator === undefined) return compileFormat("%s\\n");
  const between = Buffer.from(unescapeText("--key-separator", separator));
  const lineBreak = Buffer.from("\n");
  return ({ key, value }) =>
    Buffer.concat([key ?? Buffer.alloc(0), between, value ?? Buffer.alloc(0), lineBreak]);
}

function selectPartitions(
  { topics, partitions }: Options,
  leaders: PartitionLeaders,
): readonly TopicPartition[] {
  return topics.flatMap((topic) =>
    (partitions.length > 0 ? partitions : leaders.partitionsOf(topic)).map((partition) => {
      // Refuses a partition that is not there.
      leaders.leaderOf({ topic, partition });
      return { topic, partition };
    }),
  );
}

/** Everything that was polled before was printed when the next offsets are stored: nothing is lost by a failure. */
async function consumeAsMember({
  member,
  reader,
  output,
  cluster,
  isDone,
}: {
  member: GroupMember;
  reader: PartitionReader;
  output: Output;
  cluster: Cluster;
  isDone: () => boolean;
}): Promise<void> {
  let storedMs = cluster.clock.monotonicMs();
  try {
    do {
      if (member.mustJoin) {
        await member.commit(reader.positions);
        reader.assign(await member.join());
        storedMs = cluster.clock.monotonicMs();
      }
      await output.print(await reader.poll(Math.min(pollRecordsMax, output.countLeft)));
      if (cluster.clock.monotonicMs() - storedMs >= commitIntervalMs) {
        await member.commit(reader.positions);
        storedMs = cluster.clock.monotonicMs();
      }
    } while (!isDone());
    await member.commit(reader.positions);
  } finally {
    await member.leave();
  }
}

/** Prints records, counts them, and notices when to stop. */
class Output {
  readonly #world: World;
  readonly #format: RecordFormat;
  readonly #progress: Progress;
  readonly #interruption: AbortSignal;
  #countLeft: number;
  #count = 0;
  #sizeBytes = 0;

  constructor({ format, countMax }: Options, world: World) {
    this.#world = world;
    this.#format = format;
    this.#countLeft = countMax;
    this.#progress = new Progress(world, "record");
    this.#interruption = world.interruption();
  }

  get countLeft(): number {
    return this.#countLeft;
  }

  get isInterrupted(): boolean {
    return this.#interruption.aborted;
  }

  async print(records: readonly ConsumedRecord[]): Promise<void> {
    if (records.length === 0) return;
    this.#countLeft -= records.length;
    this.#count += records.length;
    for (const { key, value } of records) this.#sizeBytes += (key?.length ?? 0) + (value?.length ?? 0);
    // On a terminal records and progress would fight for the same lines.
    if (!this.#world.terminal.isOutputWatched) {
      this.#progress.show(() => ({ count: this.#count, sizeBytes: this.#sizeBytes }));
    }
    await this.#world.terminal.write(Buffer.concat(records.map(this.#format)));
  }

  finish(): void {
    this.#progress.clear();
  }
}
