import { ErrorCode } from "#protocol/error-codes.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import type { Arguments } from "../arguments.ts";
import { RefusedError } from "../client/client-errors.ts";
import { connectCluster } from "../connect.ts";
import type { ExitCode } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { countOf } from "../quantities.ts";
import { reportEach } from "../report-each.ts";
import type { World } from "../world.ts";

const int16Max = 32_767;
const partitionsMax = 100_000;

/** `millrace topics create`. */
export async function createTopics(given: Arguments, world: World): Promise<ExitCode> {
  const numPartitions = given.integer("partitions", { min: 1, max: partitionsMax }) ?? -1;
  const replicationFactor = given.integer("replication-factor", { min: 1, max: int16Max }) ?? -1;
  const configs = given.pairs("config").map(([name, value]) => ({ name, value }));
  const isDryRun = given.has("dry-run");

  using cluster = await connectCluster(given, world);
  const topics = given.words.map((name) => ({
    name,
    numPartitions,
    replicationFactor,
    assignments: [],
    configs,
  }));
  const answer = await cluster.requestController(CreateTopics, {
    topics,
    timeoutMs: cluster.timeoutMs,
    validateOnly: isDryRun,
  });
  const results = answer.topics.map((topic) => {
    const isThere = topic.errorCode === ErrorCode.topicAlreadyExists && given.has("if-not-exists");
    const hasFailed = topic.errorCode !== ErrorCode.none && !isThere;
    const { name } = topic;
    return {
      name,
      isCreated: topic.errorCode === ErrorCode.none && !isDryRun,
      partitionCount: topic.numPartitions,
      replicationFactor: topic.replicationFactor,
      error: hasFailed
        ? new RefusedError(`create topic "${name}"`, topic.errorCode, topic.errorMessage)
        : undefined,
    };
  });

  if (given.has("json")) {
    await writeJson(
      world.terminal,
      results.map(({ error, ...result }) => ({ ...result, error: error?.message ?? null })),
    );
  }
  return await reportEach(world, results, ({ name, isCreated, partitionCount }) => {
    if (given.has("json")) return undefined;
    if (isCreated) return `Created topic "${name}" with ${countOf(partitionCount, "partition")}`;
    return isDryRun ? `Topic "${name}" could be created` : `Topic "${name}" is there already`;
  });
}
