import { ErrorCode } from "#protocol/error-codes.ts";
import type { CommandResult } from "../metadata/apply-command.ts";

/** What an administrator's wish came to, with the words for the client; `none` for one that was fulfilled. */
export interface AdminError {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

export const done: AdminError = { errorCode: ErrorCode.none, errorMessage: null };

export const outOfTime: AdminError = { errorCode: ErrorCode.requestTimedOut, errorMessage: null };

export function refuse(errorCode: ErrorCode, errorMessage: string | null): AdminError {
  return { errorCode, errorMessage };
}

/** What an outcome means that any command may have. */
export function adminErrorOf(result: CommandResult): AdminError {
  switch (result.kind) {
    case "done":
      return done;
    case "overloaded":
    case "indefinite":
      return outOfTime;
    case "noController":
      return refuse(ErrorCode.notController, "No node leads the metadata group");
    case "tooLarge":
      return refuse(ErrorCode.policyViolation, `The request takes ${result.sizeBytes} bytes of metadata`);
    default:
      return refuse(ErrorCode.unknownServerError, null);
  }
}
