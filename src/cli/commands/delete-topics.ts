import { ErrorCode } from "#protocol/error-codes.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import type { Arguments } from "../arguments.ts";
import { RefusedError } from "../client/client-errors.ts";
import { confirmLoss } from "../confirm.ts";
import { connectCluster } from "../connect.ts";
import { type ExitCode, exitCodes } from "../failure.ts";
import { writeJson } from "../json-output.ts";
import { reportEach } from "../report-each.ts";
import type { World } from "../world.ts";

/** Topics go by name up to here. */
const deleteTopicsVersionMax = 5;

/** `millrace topics delete`. */
export async function deleteTopics(given: Arguments, world: World): Promise<ExitCode> {
  using cluster = await connectCluster(given, world);
  const names = [...new Set(given.words)];
  const subject = names.length === 1 ? `topic "${names[0]}"` : `${names.length} topics`;
  if (!(await confirmLoss(given, world, `Delete ${subject} with all records?`))) return exitCodes.failed;

  const request = { topicNames: names, timeoutMs: cluster.timeoutMs };
  const answer = await cluster.requestController(DeleteTopics, request, {
    versionMax: deleteTopicsVersionMax,
  });
  const results = answer.responses.map(({ name, errorCode, errorMessage }) => {
    const isGone = errorCode === ErrorCode.unknownTopicOrPartition && given.has("if-exists");
    const hasFailed = errorCode !== ErrorCode.none && !isGone;
    return {
      name: name ?? "",
      isDeleted: errorCode === ErrorCode.none,
      error: hasFailed ? new RefusedError(`delete topic "${name}"`, errorCode, errorMessage) : undefined,
    };
  });
  if (given.has("json")) {
    await writeJson(
      world.terminal,
      results.map(({ name, isDeleted, error }) => ({ name, isDeleted, error: error?.message ?? null })),
    );
  }
  return await reportEach(world, results, ({ name, isDeleted }) => {
    if (given.has("json")) return undefined;
    return isDeleted ? `Deleted topic "${name}"` : `Topic "${name}" is not there`;
  });
}
