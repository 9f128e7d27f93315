import type { ConfigType, ConfigValue } from "./config-value.ts";
import type { ConfigDefinition } from "./definition.ts";
import { complaintAbout, invalid, type Subject } from "./validator.ts";

export type ParsedConfig =
  | { readonly kind: "value"; readonly value: ConfigValue }
  | { readonly kind: "invalid"; readonly message: string };

/** Parses and validates one value; the message is worded as Kafka words it, and never shows a password. */
export function parseConfigValue(definition: ConfigDefinition, text: string | null): ParsedConfig {
  const { type, validator } = definition;
  const parsed =
    text === null ? { kind: "value" as const, value: null } : parseAs(type, definition, text.trim());
  if (parsed.kind === "invalid") return parsed;

  const complaint =
    validator &&
    needsCheck(parsed.value, validator.kind) &&
    complaintAbout(definition, parsed.value, validator);
  return complaint ? { kind: "invalid", message: complaint } : parsed;
}

/** Unset is checked only where null is a mistake: an optional number has a range, and no value. */
function needsCheck(value: ConfigValue, validatorKind: string): boolean {
  return value !== null || validatorKind === "items" || validatorKind === "nonNull";
}

function parseAs(type: ConfigType, subject: Subject, text: string): ParsedConfig {
  switch (type) {
    case "BOOLEAN": {
      const lower = text.toLowerCase();
      if (lower === "true" || lower === "false") return { kind: "value", value: lower === "true" };
      return {
        kind: "invalid",
        message: invalid(subject, text, "Expected value to be either true or false"),
      };
    }
    case "INT":
      return parseInteger(subject, text, { type, bits: 32 });
    case "SHORT":
      return parseInteger(subject, text, { type, bits: 16 });
    case "LONG":
      return parseInteger(subject, text, { type, bits: 64 });
    case "DOUBLE":
      return parseDouble(subject, text);
    case "LIST":
      return { kind: "value", value: parseList(text) };
    case "STRING":
    case "CLASS":
    case "PASSWORD":
      return { kind: "value", value: text };
    default:
      return type satisfies never;
  }
}

function parseInteger(
  subject: Subject,
  text: string,
  { type, bits }: { type: ConfigType; bits: number },
): ParsedConfig {
  const limit = 1n << BigInt(bits - 1);
  // The length bounds the work that a hostile request can cause; no value that fits is longer.
  const value = text.length <= 40 && /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, "")) : limit;
  if (value >= limit || value < -limit) {
    return { kind: "invalid", message: invalid(subject, text, `Not a number of type ${type}`) };
  }
  return { kind: "value", value: bits === 64 ? value : Number(value) };
}

function parseDouble(subject: Subject, text: string): ParsedConfig {
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[dDfF]?$/.test(text);
  const value = isNumber ? Number(text.replace(/[dDfF]$/, "")) : Number.NaN;
  if (!Number.isFinite(value)) {
    return { kind: "invalid", message: invalid(subject, text, "Not a number of type DOUBLE") };
  }
  return { kind: "value", value };
}

/** Items are trimmed, and a repeated one is dropped; Kafka does so since 4.2 (KIP-1161). */
function parseList(text: string): readonly string[] {
  if (text === "") return [];
  return [...new Set(text.split(",").map((item) => item.trim()))];
}
