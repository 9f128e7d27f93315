/** What made a message unreadable or unwritable: a closed set, for tests and for the log line of a closed connection. */
export type ProtocolErrorCode =
  | "truncated" // The bytes end before the value does.
  | "malformed" // The bytes say something that the protocol forbids.
  | "outOfRange" // A number does not fit its field, or an int64 does not fit a safe integer.
  | "unsupportedVersion" // The declaration has no such version.
  | "unencodable"; // The value cannot be expressed in the chosen version.

/** Bytes that are not a valid message, or a value that is not encodable; the peer's fault on decode, ours on encode. */
export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, message: string) {
    super(message);
    this.name = "ProtocolError";
    this.code = code;
  }
}
