import { ErrorCode } from "#protocol/error-codes.ts";
import type { DeleteRecordsRequest, DeleteRecordsResponse } from "#protocol/messages/delete-records.ts";
import { timedOut, within } from "../runtime/time-limit.ts";
import { codeOfFailedWrite } from "./failure-report.ts";
import { errorOfAbsent } from "./partition-place.ts";
import type { ServedBroker } from "./served-broker.ts";

/** Stands for the high watermark. */
const upToHighWatermark = -1;

/**
 * Moves the start of logs forward on all replicas (KIP-107); what lies before it is gone for every reader, whoever
 * leads later. What takes longer than the request allows is done all the same.
 */
export async function deleteRecords(
  broker: ServedBroker,
  request: DeleteRecordsRequest,
): Promise<DeleteRecordsResponse> {
  const topics = await Promise.all(
    request.topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(
        partitions.map(async ({ partitionIndex, offset }) => ({
          partitionIndex,
          ...(await trim(broker, { topic: name, partitionIndex, offset }, request.timeoutMs)),
        })),
      ),
    })),
  );
  return { topics };
}

async function trim(
  broker: ServedBroker,
  { topic, partitionIndex, offset }: { topic: string; partitionIndex: number; offset: number },
  limitMs: number,
): Promise<{ lowWatermark: number; errorCode: ErrorCode }> {
  const partition = broker.partitions.find(topic, partitionIndex);
  if (!partition) return { lowWatermark: -1, errorCode: errorOfAbsent(broker, topic, partitionIndex) };
  if (!partition.isLeader) return { lowWatermark: -1, errorCode: ErrorCode.notLeaderOrFollower };
  if (broker.metadata.image.topics.get(topic)?.isInternal) {
    return { lowWatermark: -1, errorCode: ErrorCode.invalidTopicException };
  }
  if (!partition.settings.cleanupPolicy.delete)
    return { lowWatermark: -1, errorCode: ErrorCode.policyViolation };

  const target = offset === upToHighWatermark ? partition.highWatermark : offset;
  try {
    // It may be there and not be known here, where another node has led meanwhile.
    if (target > partition.highWatermark) await partition.confirmLeadership();
    if (target < 0 || target > partition.highWatermark) {
      return { lowWatermark: -1, errorCode: ErrorCode.offsetOutOfRange };
    }
    const outcome = await within(broker.clock, limitMs, partition.trimTo(target));
    if (outcome === timedOut) return { lowWatermark: -1, errorCode: ErrorCode.requestTimedOut };
    return { lowWatermark: partition.logStartOffset, errorCode: ErrorCode.none };
  } catch (error) {
    return { lowWatermark: -1, errorCode: codeOfFailedWrite(broker, error) };
  }
}
