import { ProtocolError } from "#protocol/bytes/protocol-error.ts";
import { CompressionError } from "#protocol/compression/compression-error.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import { DiskError } from "#storage/io/file.ts";
import { JournalCorruptError } from "#storage/journal/replay.ts";
import { LogClosedError, LogCorruptError, OffsetOutOfRangeError } from "#storage/log/log-error.ts";
import { SnapshotCorruptError } from "#storage/snapshots/small-file.ts";
import { JournalLostError } from "./cluster/node-identity-file.ts";
import { LeadershipLostError, PartitionClosedError } from "./partitions/partition.ts";

/** Whether data that was durable turned out to be damaged. */
export function isCorruption(error: unknown): boolean {
  return (
    error instanceof JournalCorruptError ||
    error instanceof JournalLostError ||
    error instanceof LogCorruptError ||
    error instanceof SnapshotCorruptError
  );
}

/** The one place where errors become Kafka's codes. Whatever is not foreseen here is an unknown server error. */
export function errorCodeOf(error: unknown): ErrorCode {
  if (error instanceof OffsetOutOfRangeError) return ErrorCode.offsetOutOfRange;
  if (
    error instanceof LogClosedError ||
    error instanceof PartitionClosedError ||
    error instanceof LeadershipLostError
  ) {
    return ErrorCode.notLeaderOrFollower;
  }
  // Records that a client compressed in contradiction to their header are found when somebody looks inside.
  if (error instanceof ProtocolError || error instanceof CompressionError) return ErrorCode.corruptMessage;
  if (error instanceof LogCorruptError) return ErrorCode.kafkaStorageError;
  if (error instanceof DiskError) return ErrorCode.kafkaStorageError;
  return ErrorCode.unknownServerError;
}
