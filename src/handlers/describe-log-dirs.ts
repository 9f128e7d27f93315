import { ErrorCode } from "#protocol/error-codes.ts";
import type {
  DescribeLogDirsRequest,
  DescribeLogDirsResponse,
} from "#protocol/messages/describe-log-dirs.ts";
import type { ServedBroker } from "./served-broker.ts";

/** Tells how much each partition holds on disk (KIP-113, KIP-827). */
export async function describeLogDirs(
  broker: ServedBroker,
  request: DescribeLogDirsRequest,
): Promise<DescribeLogDirsResponse> {
  const wanted =
    request.topics && new Map(request.topics.map(({ topic, partitions }) => [topic, partitions]));
  const topics = new Map<string, { partitionIndex: number; partitionSize: number }[]>();
  for (const partition of broker.partitions.all()) {
    const { topic, index, log } = partition;
    if (wanted && !wanted.get(topic)?.includes(index)) continue;
    const partitions = topics.get(topic) ?? [];
    partitions.push({ partitionIndex: index, partitionSize: log.sizeBytes });
    topics.set(topic, partitions);
  }
  return {
    errorCode: ErrorCode.none,
    results: [
      {
        errorCode: ErrorCode.none,
        logDir: broker.config.logDirectory,
        totalBytes: await broker.totalDiskBytes(),
        usableBytes: await broker.freeDiskBytes(),
        topics: [...topics].map(([name, partitions]) => ({
          name,
          partitions: partitions.map((partition) => ({ ...partition, offsetLag: 0, isFutureKey: false })),
        })),
      },
    ],
  };
}
