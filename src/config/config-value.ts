/** A config's value type, under the names that Kafka gives them. */
export type ConfigType =
  | "BOOLEAN"
  | "STRING"
  | "INT"
  | "SHORT"
  | "LONG"
  | "DOUBLE"
  | "LIST"
  | "CLASS"
  | "PASSWORD";

/** A parsed value: LONG as bigint (Kafka's "never" is past 2^53), the other numbers as number, LIST as its items. */
export type ConfigValue = boolean | number | bigint | string | null | readonly string[];

/** The text by which a value is described: trimmed items, plain numbers, doubles as Java writes them. */
export function formatConfigValue(value: ConfigValue, type?: ConfigType): string | null {
  if (value === null) return null;
  if (typeof value === "object") return value.join(",");
  if (typeof value === "number" && type === "DOUBLE") return formatDouble(value);
  return String(value);
}

/** A LONG as a number; what is past 2^53 - 1 means "never" or "no limit" and becomes exactly that. */
export function toSafeNumber(value: bigint): number {
  const max = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(value > max ? max : value < -max ? -max : value);
}

function formatDouble(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
    const [digits = "", exponent = ""] = value.toExponential().split("e");
    return `${digits.includes(".") ? digits : `${digits}.0`}E${Number(exponent)}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
