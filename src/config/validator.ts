import { type ConfigType, type ConfigValue, formatConfigValue } from "./config-value.ts";
import { parseHostPort } from "./host-port.ts";

/** The config that a message is about. */
export interface Subject {
  readonly name: string;
  readonly type: ConfigType;
}

/** What a parsed value must satisfy beyond its type. */
export type Validator =
  | { readonly kind: "range"; readonly min: number; readonly max?: number }
  | { readonly kind: "rangeOr"; readonly min: number; readonly max: number; readonly or: number }
  | { readonly kind: "oneOf"; readonly values: readonly string[]; readonly ignoreCase: boolean }
  | {
      readonly kind: "items";
      /** Undefined where any text is an item. */
      readonly values: readonly string[] | undefined;
      readonly mayBeEmpty: boolean;
      readonly mayBeNull: boolean;
    }
  | { readonly kind: "nonEmpty" }
  | { readonly kind: "nonNull" }
  | { readonly kind: "throttledReplicas" }
  | { readonly kind: "quorumVoters" }
  | { readonly kind: "quorumServers" }
  | { readonly kind: "shareOffsetReset" }
  | { readonly kind: "hostPortOrOff" };

export function atLeast(min: number): Validator {
  return { kind: "range", min };
}

export function between(min: number, max: number): Validator {
  return { kind: "range", min, max };
}

/** One number outside of the range is taken as well, such as -1 for "the codec's own default". */
export function betweenOr(range: { min: number; max: number; or: number }): Validator {
  return { kind: "rangeOr", ...range };
}

export function oneOf(...values: readonly string[]): Validator {
  return { kind: "oneOf", values, ignoreCase: false };
}

export function oneOfIgnoringCase(...values: readonly string[]): Validator {
  return { kind: "oneOf", values, ignoreCase: true };
}

/** A list of these items; it may be empty. */
export function itemsOf(...values: readonly string[]): Validator {
  return { kind: "items", values, mayBeEmpty: true, mayBeNull: false };
}

/** At least one of these items. */
export function someOf(...values: readonly string[]): Validator {
  return { kind: "items", values, mayBeEmpty: false, mayBeNull: false };
}

/** A list of any non-empty texts. */
export const anyItems = items({ mayBeEmpty: true, mayBeNull: false });
export const anyItemsOrNull = items({ mayBeEmpty: true, mayBeNull: true });
export const someItems = items({ mayBeEmpty: false, mayBeNull: false });
export const someItemsOrNull = items({ mayBeEmpty: false, mayBeNull: true });
export const nonEmpty: Validator = { kind: "nonEmpty" };
export const nonNull: Validator = { kind: "nonNull" };
export const throttledReplicas: Validator = { kind: "throttledReplicas" };
export const quorumVoters: Validator = { kind: "quorumVoters" };
export const quorumServers: Validator = { kind: "quorumServers" };
export const shareOffsetReset: Validator = { kind: "shareOffsetReset" };
export const hostPortOrOff: Validator = { kind: "hostPortOrOff" };

/** The complaint about `value` in Kafka's words, undefined where it is fine. */
export function complaintAbout(
  subject: Subject,
  value: ConfigValue,
  validator: Validator,
): string | undefined {
  switch (validator.kind) {
    case "range":
      return rangeComplaint(subject, value, validator);
    case "rangeOr": {
      const number = Number(value);
      if (number === validator.or || (number >= validator.min && number <= validator.max)) return undefined;
      return invalid(
        subject,
        value,
        `Value must be between ${validator.min} and ${validator.max} or equal to ${validator.or}`,
      );
    }
    case "oneOf":
      return choiceComplaint(subject, value, validator);
    case "items":
      return itemsComplaint(subject, value, validator);
    case "nonEmpty":
      return value === "" ? invalid(subject, value, "String must be non-empty") : undefined;
    case "nonNull":
      return value === null ? invalid(subject, value, "entry must be non null") : undefined;
    case "throttledReplicas":
      return throttledReplicasComplaint(subject, value);
    case "quorumVoters":
      return eachItem(value, (item) =>
        /^\d+@[^:@\s]+:\d{1,5}$|^\d+@\[[0-9a-fA-F:.]+\]:\d{1,5}$/.test(item)
          ? undefined
          : invalid(subject, item, "Each entry must have the form {id}@{host}:{port}"),
      );
    case "quorumServers":
      return eachItem(value, (item) =>
        /^[^:@\s]+:\d{1,5}$|^\[[0-9a-fA-F:.]+\]:\d{1,5}$/.test(item)
          ? undefined
          : invalid(subject, item, "Each entry must have the form {host}:{port}"),
      );
    case "hostPortOrOff":
      return parseHostPort(String(value)) || value === "off"
        ? undefined
        : invalid(subject, value, "Value must have the form {host}:{port} or be off");
    case "shareOffsetReset":
      return shareOffsetResetComplaint(subject, value);
    default:
      return validator satisfies never;
  }
}

/** What the validator takes, for a table of configs; empty where the type says it all. */
export function describeValidator(validator: Validator | undefined): string {
  if (!validator) return "";
  switch (validator.kind) {
    case "range":
      return validator.max === undefined
        ? `at least ${validator.min}`
        : `${validator.min} to ${validator.max}`;
    case "rangeOr":
      return `${validator.or}, or ${validator.min} to ${validator.max}`;
    case "oneOf":
      return `one of ${validator.values.join(", ")}${validator.ignoreCase ? " (in any case)" : ""}`;
    case "items": {
      const some = validator.mayBeEmpty ? "" : "at least one";
      if (!validator.values) return some;
      return `${some === "" ? "any" : some} of ${validator.values.join(", ")}`;
    }
    case "nonEmpty":
      return "not empty";
    case "nonNull":
      return "";
    case "throttledReplicas":
      return "partition:broker pairs, or *";
    case "quorumVoters":
      return "id@host:port items";
    case "quorumServers":
      return "host:port items";
    case "hostPortOrOff":
      return "host:port or off";
    case "shareOffsetReset":
      return "earliest, latest or by_duration:PnDTnHnMn.nS";
    default:
      return validator satisfies never;
  }
}

/** Kafka's wording for a value that a config cannot have. */
export function invalid(subject: Subject, value: ConfigValue, why: string): string {
  return `Invalid value ${formatConfigValue(value, subject.type) ?? "null"} for configuration ${subject.name}: ${why}`;
}

function items(emptiness: { mayBeEmpty: boolean; mayBeNull: boolean }): Validator {
  return { kind: "items", values: undefined, ...emptiness };
}

function rangeComplaint(
  subject: Subject,
  value: ConfigValue,
  { min, max }: { min: number; max?: number },
): string | undefined {
  // Comparisons of a bigint with a number are exact, so a LONG needs no rounding here.
  const number = typeof value === "bigint" ? value : Number(value);
  if (number < min) return invalid(subject, value, `Value must be at least ${min}`);
  if (max !== undefined && number > max) return invalid(subject, value, `Value must be no more than ${max}`);
  return undefined;
}

function choiceComplaint(
  subject: Subject,
  value: ConfigValue,
  { values, ignoreCase }: { values: readonly string[]; ignoreCase: boolean },
): string | undefined {
  const text = formatConfigValue(value) ?? "null";
  if (values.includes(text)) return undefined;
  if (!ignoreCase) return invalid(subject, value, `String must be one of: ${values.join(", ")}`);
  if (values.includes(text.toUpperCase())) return undefined;
  return invalid(subject, value, `String must be one of (case insensitive): ${values.join(", ")}`);
}

function itemsComplaint(
  subject: Subject,
  value: ConfigValue,
  rule: { values: readonly string[] | undefined; mayBeEmpty: boolean; mayBeNull: boolean },
): string | undefined {
  if (value === null) {
    return rule.mayBeNull ? undefined : `Configuration '${subject.name}' values must not be null.`;
  }
  if (!Array.isArray(value)) return undefined;
  if (value.length === 0 && !rule.mayBeEmpty) {
    const accepted = rule.values ? `[${rule.values.join(", ")}]` : "any non-empty value";
    return `Configuration '${subject.name}' must not be empty. Valid values include: ${accepted}`;
  }
  return eachItem(value, (item) => {
    if (item === "") return `Configuration '${subject.name}' values must not be empty.`;
    return rule.values && choiceComplaint(subject, item, { values: rule.values, ignoreCase: false });
  });
}

function throttledReplicasComplaint(subject: Subject, value: ConfigValue): string | undefined {
  if (!Array.isArray(value) || (value.length === 1 && value[0] === "*")) return undefined;
  if (value.every((item) => /^\d+:\d+$/.test(item))) return undefined;
  const form = "[partitionId]:[brokerId],[partitionId]:[brokerId],...";
  return invalid(
    subject,
    `[${value.join(", ")}]`,
    `${subject.name} must be the literal '*' or a list of replicas as ${form}`,
  );
}

const durationPattern = /^P(?=.)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,9})?S)?)?$/i;

function shareOffsetResetComplaint(subject: Subject, value: ConfigValue): string | undefined {
  if (value === "earliest" || value === "latest") return undefined;
  const duration = typeof value === "string" && value.startsWith("by_duration:") && value.slice(12);
  if (duration !== false && durationPattern.test(duration)) return undefined;
  return invalid(subject, value, "must be earliest, latest or by_duration:<PnDTnHnMn.nS>");
}

function eachItem(value: ConfigValue, complaint: (item: string) => string | undefined): string | undefined {
  if (!Array.isArray(value)) return undefined;
  for (const item of value) {
    const found = complaint(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
