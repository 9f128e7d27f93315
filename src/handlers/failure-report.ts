import { ErrorCode } from "#protocol/error-codes.ts";
import { isDiskBroken } from "#storage/io/file.ts";
import { errorCodeOf } from "../errors.ts";

/** Where a handler tells of errors that are more than an answer to its client. */
export interface FailureReport {
  /** An error that nobody foresaw: somebody should look into it. */
  unforeseen(error: unknown): void;
  /** A durable write failed: nothing is known of the disk any more. */
  fail(error: unknown): void;
}

/** The code that a failed read is answered with. */
export function codeOfFailedRead(report: FailureReport, error: unknown): ErrorCode {
  const errorCode = errorCodeOf(error);
  if (errorCode === ErrorCode.unknownServerError) report.unforeseen(error);
  return errorCode;
}

/** The code that a failed change is answered with; a write that the disk refused without reason ends the broker. */
export function codeOfFailedWrite(report: FailureReport, error: unknown): ErrorCode {
  if (isDiskBroken(error)) report.fail(error);
  return codeOfFailedRead(report, error);
}
