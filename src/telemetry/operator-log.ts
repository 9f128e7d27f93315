import type { Logger } from "pino";
import type { RecoveryReport } from "#storage/journal/replay.ts";
import type { TornTail } from "#storage/log/log-recovery.ts";
import type { TopicImage } from "../cluster/metadata/metadata-image.ts";
import type { TopicChanges } from "../cluster/metadata/topic-changes.ts";

/** What a start found. */
export interface Recovery {
  readonly durationMs: number;
  readonly topicCount: number;
  readonly partitionCount: number;
  readonly journal: Pick<RecoveryReport, "bytesRead">;
  readonly tornTails: readonly TornTail[];
}

/** Logs that a line names, of those with a torn write. */
const tornTailsTold = 10;

/** One line of what the start brought back, and one where it had to cut; damage has lines of its own. */
export function tellRecovery(logger: Logger, recovery: Recovery): void {
  const { durationMs, topicCount, partitionCount, journal, tornTails } = recovery;
  const facts = {
    durationMs: Math.round(durationMs),
    topics: topicCount,
    partitions: partitionCount,
    journalBytes: journal.bytesRead,
  };
  logger.info(facts, "recovered");
  if (tornTails.length === 0) return;
  const examples = tornTails.slice(0, tornTailsTold);
  logger.warn(
    { tornLogs: tornTails.length, examples },
    "cut unfinished last writes of logs: the journal has what they held",
  );
}

/** One line for each topic that came, grew or went. */
export function tellTopics(logger: Logger, { created, grown, removed }: TopicChanges): void {
  for (const topic of created) logger.info(factsOf(topic), "topic created");
  for (const topic of grown) logger.info(factsOf(topic), "partitions added to a topic");
  for (const topic of removed) logger.info(factsOf(topic), "topic deleted");
}

function factsOf({ name, id, partitions }: TopicImage) {
  return { topic: name, topicId: id, partitions: partitions.length };
}
