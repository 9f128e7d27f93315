/** What the choice of logs to flush is made from; a `Log` has it. */
export interface FlushCandidate {
  readonly dirtyBytes: number;
  /** When its oldest dirty batch came; undefined when it has none. */
  readonly dirtySinceMs: number | undefined;
}

export interface FlushLimits {
  readonly nowMs: number;
  /** A log with this much is worth one large write. */
  readonly flushBytes: number;
  /** No batch stays dirty for longer. */
  readonly flushAfterMs: number;
  /** What has to leave memory now, over all logs: 0 unless the dirty budget is over or nearly so. */
  readonly excessBytes: number;
}

/** The logs that should be flushed now: the full and the old ones, then the fullest until the excess is covered. */
export function logsToFlush<T extends FlushCandidate>(logs: Iterable<T>, limits: FlushLimits): T[] {
  const chosen: T[] = [];
  const others: T[] = [];
  let excessBytes = limits.excessBytes;
  for (const log of logs) {
    if (log.dirtySinceMs === undefined) continue;
    const isDue =
      log.dirtyBytes >= limits.flushBytes || limits.nowMs - log.dirtySinceMs >= limits.flushAfterMs;
    if (isDue) {
      chosen.push(log);
      excessBytes -= log.dirtyBytes;
    } else {
      others.push(log);
    }
  }
  if (excessBytes <= 0) return chosen;

  others.sort((a, b) => b.dirtyBytes - a.dirtyBytes);
  for (const log of others) {
    if (excessBytes <= 0) break;
    chosen.push(log);
    excessBytes -= log.dirtyBytes;
  }
  return chosen;
}
