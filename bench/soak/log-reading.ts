import { ErrorCode } from "#protocol/error-codes.ts";
import { RefusedError } from "#src/cli/client/client-errors.ts";
import type { Cluster } from "#src/cli/client/cluster.ts";
import { listOffsets, specialTimes } from "#src/cli/client/offsets.ts";
import { PartitionLeaders, partitionKey } from "#src/cli/client/partition-leaders.ts";
import { PartitionReader } from "#src/cli/client/partition-reader.ts";
import { type PartitionLedger, ReadingCheck, type ReadingTally } from "./ledger.ts";
import type { SoakTopic } from "./soak-plan.ts";
import { numberOf } from "./soak-records.ts";

const pollRecordsMax = 1_000;

/**
 * Reads one partition from its start to the end that it has now, most of it from the disk. Retention may overtake
 * the reading, which ends it then. Answers the last number of each key, and whether it was a deletion.
 */
export async function readWholeLog(
  cluster: Cluster,
  { name: topic, keys }: SoakTopic,
  { partition }: PartitionLedger,
  tally: ReadingTally,
): Promise<Map<string, { number: number | undefined; isDeletion: boolean }>> {
  const leaders = new PartitionLeaders(cluster);
  await leaders.learn([topic]);
  const place = { topic, partition };
  const ends = await listOffsets(cluster, leaders, { partitions: [place], timestampMs: specialTimes.end });
  const begins = await listOffsets(cluster, leaders, {
    partitions: [place],
    timestampMs: specialTimes.beginning,
  });
  const end = ends.get(partitionKey(place)) ?? 0;
  const offset = begins.get(partitionKey(place)) ?? 0;
  const reader = new PartitionReader(cluster, leaders, { isCommittedOnly: true, onOutOfRange: "fail" });
  reader.assign([{ ...place, offset }]);
  const check = new ReadingCheck(tally, { mayHaveGaps: keys > 0, from: offset });
  const found = new Map<string, { number: number | undefined; isDeletion: boolean }>();
  try {
    while ((reader.positions[0]?.offset ?? end) < end) {
      for (const record of await reader.poll(pollRecordsMax)) {
        const number = numberOf(record);
        check.take(record.offset, number);
        if (record.key) {
          found.set(Buffer.from(record.key).toString(), { number, isDeletion: record.value === null });
        }
      }
    }
  } catch (error) {
    if (!(error instanceof RefusedError) || error.errorCode !== ErrorCode.offsetOutOfRange) throw error;
  }
  return found;
}

/** Where each partition of a topic ends. */
export async function endsOf(cluster: Cluster, { name: topic, partitions }: SoakTopic): Promise<number[]> {
  const leaders = new PartitionLeaders(cluster);
  await leaders.learn([topic]);
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const ends = await listOffsets(cluster, leaders, { partitions: places, timestampMs: specialTimes.end });
  return places.map((place) => ends.get(partitionKey(place)) ?? 0);
}
