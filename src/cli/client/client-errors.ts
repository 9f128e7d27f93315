import { ErrorCode, errorMessage, errorName } from "#protocol/error-codes.ts";
import { type Address, formatAddress } from "./address.ts";

/** Why a connection came to nothing. */
export type ConnectionFailure = "refused" | "unknownHost" | "timedOut" | "closed" | "notKafka" | "other";

/** No connection, or one that broke under a request. */
export class ConnectionError extends Error {
  readonly address: Address;
  readonly failure: ConnectionFailure;

  constructor(
    address: Address,
    { failure, reason, cause }: { failure: ConnectionFailure; reason: string; cause?: unknown },
  ) {
    super(`Cannot reach a broker at ${formatAddress(address)}: ${reason}`, { cause });
    this.name = "ConnectionError";
    this.address = address;
    this.failure = failure;
  }
}

/** No bootstrap server answered. */
export class NoBrokerError extends Error {
  readonly attempts: readonly ConnectionError[];

  constructor(attempts: readonly ConnectionError[]) {
    super(attempts.map(({ message }) => message).join("; "));
    this.name = "NoBrokerError";
    this.attempts = attempts;
  }
}

/** The broker, or one of its brokers, said no. */
export class RefusedError extends Error {
  readonly errorCode: number;

  constructor(action: string, errorCode: number, detail?: string | null) {
    // Brokers end their sentences; here the code's name comes behind.
    const reason = detail?.replace(/\.$/, "") || describeCode(errorCode);
    super(`Cannot ${action}: ${reason} (${errorName(errorCode)})`);
    this.name = "RefusedError";
    this.errorCode = errorCode;
  }
}

/** The broker does not serve an API, or no version of it that this client knows. */
export class UnservedApiError extends Error {
  constructor(apiName: string, address: Address) {
    super(
      `Cannot use ${apiName} at ${formatAddress(address)}: the broker serves no version of it known here`,
    );
    this.name = "UnservedApiError";
  }
}

/** Throws RefusedError unless the code is "none". */
export function expectAccepted(action: string, errorCode: number, detail?: string | null): void {
  if (errorCode !== ErrorCode.none) throw new RefusedError(action, errorCode, detail);
}

function describeCode(errorCode: number): string {
  const message = errorMessage(errorCode) ?? "no error";
  return message.charAt(0).toLowerCase() + message.slice(1);
}
