import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { ErrorCode } from "#protocol/error-codes.ts";
import type { Arguments } from "../arguments.ts";
import type { Cluster } from "../client/cluster.ts";
import { PartitionLeaders } from "../client/partition-leaders.ts";
import { Producer, type ProducerOptions } from "../client/producer.ts";
import { connectCluster } from "../connect.ts";
import { CommandError, type ExitCode, exitCodes, UsageError } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { splitLines } from "../lines.ts";
import { Progress } from "../progress.ts";
import { countOf, formatBytes, formatCount, formatDuration } from "../quantities.ts";
import { recordReader } from "../record-lines.ts";
import type { World } from "../world.ts";

const batchBytesDefault = 512 << 10;
const batchBytesMax = 64 << 20;
const acksCodes = { all: -1, "-1": -1, "1": 1, "0": 0 } as const;

/** Where lines come from, and how many bytes they are in all if that is known. */
interface Source {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly sizeBytes: number | undefined;
}

/** `millrace produce`. */
export async function produce(given: Arguments, world: World): Promise<ExitCode> {
  const [topic = "", path] = given.words;
  const options = producerOptions(given, topic);
  const readRecord = recordReader(given, world.clock);
  const partition = given.integer("partition", { min: 0 });
  const source = await openSource(path, world);

  using cluster = await connectCluster(given, world);
  const leaders = new PartitionLeaders(cluster);
  await learnOrCreate(cluster, leaders, { topic, world });
  if (partition !== undefined) leaders.leaderOf({ topic, partition });
  const producer = await Producer.open(cluster, leaders, options);

  using progress = new Progress(world, "record");
  let readBytes = 0;
  const show = (): void =>
    progress.show(() => {
      const { recordCount, sizeBytes } = producer.totals;
      return { count: recordCount, sizeBytes, share: source.sizeBytes && readBytes / source.sizeBytes };
    });
  try {
    for await (const lines of splitLines(source.chunks)) {
      for (const line of lines) {
        const record = readRecord(line);
        await producer.send(record, record.partition ?? partition);
        readBytes += line.length + 1;
        show();
      }
    }
    await producer.flush();
  } catch (error) {
    progress.clear();
    const { recordCount } = producer.totals;
    if (recordCount > 0)
      world.terminal.writeError(`${countOf(recordCount, "record")} were written before this:\n`);
    throw error;
  }
  const { elapsedMs } = progress;
  progress.clear();
  await tell(producer, { topic, elapsedMs, given, world });
  return exitCodes.ok;
}

function producerOptions(given: Arguments, topic: string): ProducerOptions {
  const acks = acksCodes[given.choice("acks", ["all", "-1", "1", "0"]) ?? "all"];
  // A producer id promises what acks=0 and acks=1 cannot keep.
  const isIdempotent = acks === -1 && !given.has("no-idempotence");
  return {
    topic,
    acks,
    compression: given.choice("compression", ["none", "gzip", "snappy", "lz4", "zstd"]) ?? "none",
    isIdempotent,
    batchBytes: given.integer("batch-bytes", { min: 1, max: batchBytesMax }) ?? batchBytesDefault,
  };
}

async function openSource(path: string | undefined, world: World): Promise<Source> {
  if (path === undefined || path === "-") return { chunks: world.input, sizeBytes: undefined };
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw new UsageError(`Cannot read "${path}": it is a directory`);
    return { chunks: createReadStream(path), sizeBytes: stats.isFile() ? stats.size : undefined };
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`Cannot read "${path}": ${reason}`, { cause });
  }
}

/** As with other clients, a topic may come into being by being written to; that is said, for it may be a typing error. */
async function learnOrCreate(
  cluster: Cluster,
  leaders: PartitionLeaders,
  { topic, world }: { topic: string; world: World },
): Promise<void> {
  const { topics } = await cluster.metadata([topic]);
  const isUnknown = topics[0]?.errorCode === ErrorCode.unknownTopicOrPartition;
  if (!isUnknown) return await leaders.learn([topic]);

  const created = await cluster.metadata([topic], { mayCreate: true });
  if (created.topics[0]?.errorCode === ErrorCode.unknownTopicOrPartition) {
    // Kafka answers so for a topic that it is creating, too: only time tells.
    await cluster.sleep(200);
  }
  const now = await cluster.metadata([topic]);
  if (now.topics[0]?.errorCode === ErrorCode.unknownTopicOrPartition) {
    throw new CommandError(`Cannot produce to topic "${topic}": there is no such topic`, {
      hint: `"millrace topics create ${topic}" makes it`,
    });
  }
  await leaders.learn([topic], { mayCreate: true });
  world.terminal.writeError(
    `Created topic "${topic}" with ${countOf(leaders.partitionsOf(topic).length, "partition")}\n`,
  );
}

async function tell(
  producer: Producer,
  { topic, elapsedMs, given, world }: { topic: string; elapsedMs: number; given: Arguments; world: World },
): Promise<void> {
  const { recordCount, sizeBytes, partitions } = producer.totals;
  const { terminal } = world;
  if (given.has("json")) {
    const offsets = Object.fromEntries(
      [...partitions].map(([partition, { first, last }]) => [partition, { first, last }]),
    );
    await writeJson(terminal, { topic, recordCount, sizeBytes, elapsedMs: Math.round(elapsedMs), offsets });
    return;
  }
  const perSecond = elapsedMs > 0 ? (recordCount * 1000) / elapsedMs : 0;
  terminal.writeError(
    `Wrote ${countOf(recordCount, "record")}, ${formatBytes(sizeBytes)}, to ${countOf(partitions.size, "partition")}` +
      ` of "${topic}" in ${formatDuration(elapsedMs)} (${formatCount(perSecond)}/s)\n`,
  );
}
