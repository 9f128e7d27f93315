import type { Clock } from "../runtime/clock.ts";
import type { Arguments } from "./arguments.ts";
import { unescapeText } from "./escapes.ts";
import { CommandError, UsageError } from "./failure.ts";
import { type RecordLine, recordFromJson } from "./record-json.ts";

/** Turns lines into records as the flags of `produce` say; to be called for each line, in order. @throws CommandError */
export function recordReader(given: Arguments, clock: Clock): (line: Buffer) => RecordLine {
  const isJson = given.choice("format", ["lines", "json"]) === "json";
  const separatorText = given.text("key-separator");
  const keyText = given.text("key");
  const nullText = given.text("null-value");
  if (separatorText !== undefined && keyText !== undefined) {
    throw new UsageError("Cannot use --key with --key-separator: both say what the key is");
  }
  if (separatorText === "") throw new UsageError('Cannot use --key-separator "": it is empty');
  if (isJson && (separatorText ?? nullText) !== undefined) {
    throw new UsageError(
      "Cannot use --key-separator or --null-value with --format json: its lines say it themselves",
    );
  }
  const separator =
    separatorText === undefined ? undefined : Buffer.from(unescapeText("--key-separator", separatorText));
  const nullValue = nullText === undefined ? undefined : Buffer.from(nullText);
  const key = keyText === undefined ? null : Buffer.from(keyText);
  const headers = given.pairs("header").map(([name, value]) => ({ key: name, value: Buffer.from(value) }));

  let number = 0;
  const orNull = (bytes: Buffer): Buffer | null => (nullValue?.equals(bytes) ? null : bytes);
  return (line) => {
    number++;
    if (isJson) {
      const record = readJson(line, number, clock);
      return { ...record, key: record.key ?? key, headers: [...(record.headers ?? []), ...headers] };
    }
    const record = { headers, timestampMs: clock.nowMs(), partition: undefined };
    if (!separator) return { ...record, key, value: orNull(line) };
    const at = line.indexOf(separator);
    if (at < 0) {
      throw new CommandError(`Cannot read line ${number}: it has no key separator`, {
        hint: "Every line is KEY, the separator, VALUE",
      });
    }
    return { ...record, key: line.subarray(0, at), value: orNull(line.subarray(at + separator.length)) };
  };
}

function readJson(line: Buffer, number: number, clock: Clock): RecordLine {
  try {
    return recordFromJson(line.toString("utf8"), clock.nowMs());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`Cannot read line ${number} as JSON: ${reason}`, { cause });
  }
}
