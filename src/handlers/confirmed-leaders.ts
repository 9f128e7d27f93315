import { ErrorCode } from "#protocol/error-codes.ts";
import type { Partition } from "../partitions/partition.ts";
import { readerEpochError } from "./leader-epoch.ts";
import type { ServedBroker } from "./served-broker.ts";

/**
 * Those of the partitions that are led here, as a majority of their replicas has just said. What is answered for them
 * from here on is no older than the request.
 */
export async function confirmedLeaders(
  { partitions }: ServedBroker,
  wanted: readonly { readonly topic: string; readonly index: number }[],
): Promise<ReadonlySet<Partition>> {
  const confirmed = new Set<Partition>();
  const led = new Set<Partition>();
  for (const { topic, index } of wanted) {
    const partition = partitions.find(topic, index);
    if (partition?.isLeader) led.add(partition);
  }
  await Promise.all(
    Array.from(led, async (partition) => {
      // Who cannot be confirmed leads no more, or is about to: the client asks again, and maybe somebody else.
      await partition.confirmLeadership().then(
        () => confirmed.add(partition),
        () => undefined,
      );
    }),
  );
  return confirmed;
}

/** Why a reader is not told where a log ends: this leader is not confirmed as one, or the reader knows another epoch. */
export function confirmedReaderError(
  broker: ServedBroker,
  partition: Partition,
  asked: { readonly currentLeaderEpoch: number; readonly confirmed: ReadonlySet<Partition> },
): ErrorCode {
  const { currentLeaderEpoch, confirmed } = asked;
  if (partition.isLeader && !confirmed.has(partition)) return ErrorCode.notLeaderOrFollower;
  return readerEpochError(broker, partition, currentLeaderEpoch);
}
