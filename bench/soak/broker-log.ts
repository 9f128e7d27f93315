/** What the log of a broker tells in numbers. */
export class BrokerLog {
  /** Lines at warn, by message. */
  readonly warnings = new Map<string, number>();
  /** Lines at error and above. */
  readonly errors: string[] = [];
  removedSegments = 0;
  compactions = 0;

  /** Counts one line; answers its message, or undefined for what is no line of the log. */
  take(line: string): string | undefined {
    const entry = parse(line);
    if (entry === undefined) {
      this.errors.push(line);
      return undefined;
    }
    const { level, msg } = entry;
    if (level >= 50) this.errors.push(line);
    else if (level >= 40) this.warnings.set(msg, (this.warnings.get(msg) ?? 0) + 1);
    if (msg === "removed expired segments") this.removedSegments += Number(entry.fields.removedSegments ?? 0);
    if (msg.startsWith("compacted")) this.compactions++;
    return msg;
  }
}

interface LogEntry {
  readonly level: number;
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function parse(line: string): LogEntry | undefined {
  try {
    const fields: unknown = JSON.parse(line);
    if (typeof fields !== "object" || fields === null || !("level" in fields)) return undefined;
    const record = fields as Record<string, unknown>;
    return { level: Number(record.level), msg: String(record.msg ?? ""), fields: record };
  } catch {
    return undefined;
  }
}
