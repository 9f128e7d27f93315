import { specialTimes } from "./client/offsets.ts";
import { UsageError } from "./failure.ts";

/** A place in a partition as a user writes it. */
export type Place =
  /** The first record at or after a time, or one of `specialTimes`. */
  | { readonly kind: "time"; readonly timestampMs: number }
  | { readonly kind: "offset"; readonly offset: number }
  /** So many records on, or back, from some offset. */
  | { readonly kind: "shift"; readonly by: number };

/** Reads `beginning`, `end`, `1234`, `+10`, `-10`, `@1700000000000`, `2026-01-31T12:00:00Z`. @throws UsageError */
export function parsePlace(flag: string, text: string): Place {
  if (text === "beginning" || text === "earliest")
    return { kind: "time", timestampMs: specialTimes.beginning };
  if (text === "end" || text === "latest") return { kind: "time", timestampMs: specialTimes.end };
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return { kind: "offset", offset: number };
  if (/^[+-]\d+$/.test(text) && Number.isSafeInteger(number)) return { kind: "shift", by: number };
  const timestampMs = /^@\d+$/.test(text) ? Number(text.slice(1)) : timeOf(text);
  if (Number.isSafeInteger(timestampMs) && timestampMs >= 0) return { kind: "time", timestampMs };
  throw new UsageError(
    `Cannot use ${flag} "${text}": it is beginning, end, an offset, -N, or a time such as 2026-01-31T12:00:00Z`,
  );
}

/** Whole dates and times only: Date.parse would take "2026" and many a typing error. */
function timeOf(text: string): number {
  return /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
}
