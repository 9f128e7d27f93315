/** Bytes of a log that were durable and no longer check out: reported, never served. */
export class LogCorruptError extends Error {
  readonly path: string;
  /** Place of the first bad byte range in the file. */
  readonly position: number;

  constructor(message: string, at: { path: string; position: number }, options?: ErrorOptions) {
    super(message, options);
    this.name = "LogCorruptError";
    this.path = at.path;
    this.position = at.position;
  }
}

/** An offset outside of [startOffset, nextOffset]. */
export class OffsetOutOfRangeError extends Error {
  readonly offset: number;
  readonly startOffset: number;
  readonly nextOffset: number;

  constructor(offset: number, range: { startOffset: number; nextOffset: number }) {
    super(`Cannot read offset ${offset}: the log spans ${range.startOffset} to ${range.nextOffset}`);
    this.name = "OffsetOutOfRangeError";
    this.offset = offset;
    this.startOffset = range.startOffset;
    this.nextOffset = range.nextOffset;
  }
}

/** A call on a log that was closed or removed. */
export class LogClosedError extends Error {
  constructor(directory: string) {
    super(`Cannot use log "${directory}": it is closed`);
    this.name = "LogClosedError";
  }
}

/** The error for bytes that were durable and are no intact batch. */
export function damaged(path: string, position: number): LogCorruptError {
  return new LogCorruptError(`Cannot read "${path}" at ${position}: no intact batch where one was durable`, {
    path,
    position,
  });
}
