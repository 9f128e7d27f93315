import { ProtocolError } from "#protocol/bytes/protocol-error.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import { formatAddress } from "./client/address.ts";
import { ConnectionError, NoBrokerError, RefusedError, UnservedApiError } from "./client/client-errors.ts";
import { CommandError, type ExitCode, exitCodes, UsageError } from "./failure.ts";

/** A failure as it is told: one sentence, and what to do next where that is known. */
export interface Explanation {
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
}

/** The one place where failures become words and exit codes. */
export function explain(error: unknown): Explanation {
  const exitCode = error instanceof UsageError ? exitCodes.misused : exitCodes.failed;
  return { message: messageOf(error), hint: hintFor(error), exitCode };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isExpected =
    error instanceof UsageError ||
    error instanceof CommandError ||
    error instanceof ConnectionError ||
    error instanceof NoBrokerError ||
    error instanceof RefusedError ||
    error instanceof UnservedApiError ||
    error instanceof ProtocolError ||
    "syscall" in error;
  // A bug: its place is what somebody who looks for it needs.
  return isExpected ? error.message : (error.stack ?? error.message);
}

function hintFor(error: unknown): string | undefined {
  if (error instanceof CommandError) return error.hint;
  if (error instanceof NoBrokerError) return hintForUnreachable(error.attempts[0]);
  if (error instanceof ConnectionError) {
    return `The cluster names ${formatAddress(error.address)} to its clients: check that broker and its advertised.listeners`;
  }
  return error instanceof RefusedError ? hints.get(error.errorCode) : undefined;
}

function hintForUnreachable(attempt: ConnectionError | undefined): string {
  switch (attempt?.failure) {
    case "unknownHost":
      return "Check the name, or name another broker with --bootstrap-server HOST:PORT";
    case "notKafka":
    case "closed":
      return "Name a broker's PLAINTEXT listener with --bootstrap-server HOST:PORT";
    default:
      return 'Start a broker with "millrace start", or name another with --bootstrap-server HOST:PORT';
  }
}

const hints: ReadonlyMap<number, string> = new Map([
  [
    ErrorCode.unknownTopicOrPartition,
    '"millrace topics list" shows the topics, "millrace topics create NAME" makes one',
  ],
  [ErrorCode.topicAlreadyExists, "--if-not-exists takes it as it is"],
  [
    ErrorCode.invalidReplicationFactor,
    '"millrace cluster" shows how many brokers there are; each holds one replica at most',
  ],
  [ErrorCode.invalidConfig, "docs/configuration.md lists configs and their values"],
  [ErrorCode.messageTooLarge, "Raise the topic's max.message.bytes, or lower --batch-bytes"],
  [ErrorCode.recordListTooLarge, "Lower --batch-bytes"],
  [ErrorCode.offsetOutOfRange, '"millrace topics describe TOPIC" shows which offsets there are'],
  [ErrorCode.nonEmptyGroup, 'Stop the group\'s members first: "millrace groups describe GROUP" shows them'],
  [ErrorCode.groupIdNotFound, '"millrace groups list" shows the groups'],
  [ErrorCode.notEnoughReplicas, '"millrace topics describe TOPIC" shows which replicas are in sync'],
  [
    ErrorCode.coordinatorNotAvailable,
    "The group's broker may be starting; try again, or check the broker's log",
  ],
  [ErrorCode.kafkaStorageError, "The broker's disk may be full: check its log"],
  [ErrorCode.corruptMessage, '"millrace dump-log DIRECTORY" checks the files of a partition'],
]);
