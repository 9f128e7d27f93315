import { type ConfigValue, toSafeNumber } from "./config-value.ts";

/** Typed access to values by name; asking for another type than the config's own is a bug and throws. */
export interface ValueReader {
  number(name: string): number;
  numberOrNull(name: string): number | null;
  text(name: string): string;
  textOrNull(name: string): string | null;
  flag(name: string): boolean;
  list(name: string): readonly string[];
}

/** Reads through `lookUp`; LONG values past 2^53 - 1 read as `Number.MAX_SAFE_INTEGER`. */
export function valueReader(lookUp: (name: string) => ConfigValue): ValueReader {
  const numberOrNull = (name: string): number | null => {
    const value = lookUp(name);
    if (value === null || typeof value === "number") return value;
    return typeof value === "bigint" ? toSafeNumber(value) : mistyped(name);
  };
  const textOrNull = (name: string): string | null => {
    const value = lookUp(name);
    return value === null || typeof value === "string" ? value : mistyped(name);
  };
  return {
    numberOrNull,
    textOrNull,
    number: (name) => numberOrNull(name) ?? mistyped(name),
    text: (name) => textOrNull(name) ?? mistyped(name),
    flag: (name) => {
      const value = lookUp(name);
      return typeof value === "boolean" ? value : mistyped(name);
    },
    list: (name) => {
      const value = lookUp(name);
      if (value === null) return [];
      return typeof value === "object" ? value : mistyped(name);
    },
  };
}

function mistyped(name: string): never {
  throw new Error(`Cannot read config "${name}": it has another type or no value`);
}
