import { ProtocolError } from "#protocol/bytes/protocol-error.ts";
import { CompressionError } from "#protocol/compression/compression-error.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import { IndefiniteProposalError } from "#raft/host/pending-proposals.ts";
import { ReadUnconfirmedError } from "#raft/host/pending-reads.ts";
import { DiskError } from "#storage/io/file.ts";
import { JournalCorruptError } from "#storage/journal/replay.ts";
import { LogClosedError, LogCorruptError, OffsetOutOfRangeError } from "#storage/log/log-error.ts";
import { SnapshotCorruptError } from "#storage/snapshots/small-file.ts";
import { JournalLostError } from "./cluster/membership/node-identity-file.ts";
import { NotMetadataLeaderError } from "./cluster/metadata/metadata-store.ts";
import {
  CommitTimeoutError,
  LeadershipLostError,
  NotEnoughReplicasError,
  PartitionClosedError,
} from "./partitions/partition-errors.ts";

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
    error instanceof LeadershipLostError ||
    error instanceof IndefiniteProposalError ||
    error instanceof ReadUnconfirmedError
  ) {
    return ErrorCode.notLeaderOrFollower;
  }
  if (error instanceof CommitTimeoutError) return ErrorCode.requestTimedOut;
  if (error instanceof NotEnoughReplicasError) return ErrorCode.notEnoughReplicasAfterAppend;
  if (error instanceof NotMetadataLeaderError) return ErrorCode.notController;
  // Records that a client compressed in contradiction to their header are found when somebody looks inside.
  if (error instanceof ProtocolError || error instanceof CompressionError) return ErrorCode.corruptMessage;
  if (error instanceof LogCorruptError) return ErrorCode.kafkaStorageError;
  if (error instanceof DiskError) return ErrorCode.kafkaStorageError;
  return ErrorCode.unknownServerError;
}
