/** "corrupt": not what the codec writes; "tooLarge": decompresses past the caller's bound. */
export type CompressionErrorCode = "corrupt" | "tooLarge";

/** Compressed bytes that cannot be, or must not be, expanded; `cause` is the codec's own error where there is one. */
export class CompressionError extends Error {
  readonly code: CompressionErrorCode;

  constructor(code: CompressionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CompressionError";
    this.code = code;
  }
}

/** The error for output past its bound: a decompression bomb, or a bound set too low for honest data. */
export function tooLarge(codec: string, outputBytesMax: number): CompressionError {
  return new CompressionError("tooLarge", `Cannot decompress ${codec}: more than ${outputBytesMax} bytes`);
}

/** The error for input that is not this codec's. */
export function corrupt(codec: string, reason: string, cause?: unknown): CompressionError {
  return new CompressionError("corrupt", `Cannot decompress ${codec}: ${reason}`, { cause });
}
