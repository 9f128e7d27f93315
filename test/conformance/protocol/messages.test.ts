import { beforeAll, describe, expect, test } from "vitest";
import { apiByKey } from "#protocol/apis.ts";
import { zeroUuid } from "#protocol/bytes/uuid.ts";
import { defaultValue } from "#protocol/schema/defaults.ts";
import type { Field, Fields } from "#protocol/schema/field.ts";
import { type DeclaredMessage, declaredMessages } from "./declared-messages.ts";
import {
  hasKafkaDefinitions,
  holds,
  type KafkaDefinition,
  type KafkaField,
  kafkaDefinitions,
  rangeOf,
} from "./kafka-definitions.ts";

/** One field in one version, in terms that both sides can be turned into. */
interface FieldFacts {
  name: string;
  type: string;
  isArray: boolean;
  isPresent: boolean;
  isNullable: boolean;
  isCompact: boolean;
  tag: number | undefined;
  isIgnorable: boolean;
  default: unknown;
  fields: FieldFacts[];
}

const definitions = kafkaDefinitions();
const messages = new Map<string, DeclaredMessage>();

beforeAll(async () => {
  for (const message of await declaredMessages()) messages.set(message.name, message);
});

/** What the broker speaks: requests and responses of broker APIs, headers, and records of the coordinators. */
const expected = [...definitions.values()].filter(isExpected);

describe.skipIf(!hasKafkaDefinitions)(
  "against Kafka's definitions (skipped where ../shared is absent)",
  () => {
    test("exactly the messages of a broker are declared", () => {
      expect([...messages.keys()].sort()).toEqual(expected.map(({ name }) => name).sort());
    });

    test.each(expected.map((definition) => ({ name: definition.name, definition })))(
      "$name",
      ({ definition }) => {
        const message = messages.get(definition.name);
        if (message === undefined) throw new Error(`Cannot find ${definition.name}: not declared`);
        const [min, max] = message.versions;
        expect([min, max]).toEqual(rangeOf(definition.validVersions));
        expect(message.flexibleFrom).toBe(rangeOf(definition.flexibleVersions)?.[0] ?? "never");
        for (let version = min; version <= max; version++) {
          const isFlexible = holds(definition.flexibleVersions, version);
          expect({ version, fields: declaredFacts(message.fields, { version, isFlexible }) }).toEqual({
            version,
            fields: kafkaFacts(definition.fields, { definition, version, isFlexible, isParentPresent: true }),
          });
        }
      },
    );

    test("keys, stability and record types agree", () => {
      for (const api of apiByKey.values()) {
        const request = definitions.get(`${api.name}Request`);
        expect([api.name, api.key, api.latestVersionUnstable]).toEqual([
          api.name,
          request?.apiKey,
          request?.latestVersionUnstable ?? false,
        ]);
      }
      for (const { name, type, apiKey } of expected) {
        if (!type.startsWith("coordinator")) continue;
        expect(messages.get(name)).toMatchObject({ name, recordType: apiKey });
      }
    });
  },
);

function isExpected({ name, type, apiKey, listeners }: KafkaDefinition): boolean {
  switch (type) {
    case "request":
      return listeners?.includes("broker") ?? false;
    case "response":
      return [...definitions.values()].some(
        (other) => other.type === "request" && other.apiKey === apiKey && isExpected(other),
      );
    case "header":
    case "coordinator-key":
    case "coordinator-value":
      return true;
    default:
      // The other "data" definitions belong to the metadata log of KRaft, which has its own format here.
      return /^(ConsumerProtocol|EndTxnMarker|ControlRecordType|DefaultPrincipal)/.test(name);
  }
}

function kafkaFacts(
  fields: readonly KafkaField[],
  context: { definition: KafkaDefinition; version: number; isFlexible: boolean; isParentPresent: boolean },
): FieldFacts[] {
  const { definition, version, isFlexible, isParentPresent } = context;
  return fields.map((field) => {
    const isArray = field.type.startsWith("[]");
    const type = field.type.replace("[]", "");
    const versions = field.versions ?? field.taggedVersions;
    const isPresent = isParentPresent && holds(versions, version);
    const inner = field.fields ?? definition.commonStructs?.find(({ name }) => name === type)?.fields;
    return {
      name: field.name.charAt(0).toLowerCase() + field.name.slice(1),
      type: inner ? "struct" : wireType(type),
      isArray,
      isPresent,
      isNullable: isPresent && holds(field.nullableVersions, version),
      isCompact: isPresent && isFlexible && field.flexibleVersions !== "none",
      tag: isPresent && holds(field.taggedVersions, version) ? field.tag : undefined,
      isIgnorable: field.ignorable ?? false,
      default: kafkaDefault(field, { definition, inner }),
      fields: inner ? kafkaFacts(inner, { ...context, isParentPresent: isPresent }) : [],
    };
  });
}

/**
 * The default of Kafka's generated classes, but for two deliberate differences.
 *
 * A field that is nullable in all its versions is null when left out, where Kafka's would be empty; and records are
 * an empty set, where Kafka's would be null.
 */
function kafkaDefault(
  field: KafkaField,
  { definition, inner }: { definition: KafkaDefinition; inner: readonly KafkaField[] | undefined },
): unknown {
  if (field.default === null || field.default === "null") return null;
  if (field.type === "records") return [];
  if (field.default === undefined && isNullableThroughout(field, definition)) return null;
  if (field.type.startsWith("[]")) return [];
  if (inner) {
    return Object.fromEntries(
      inner.map((each) => {
        const nested =
          each.fields ?? definition.commonStructs?.find(({ name }) => name === each.type)?.fields;
        const name = each.name.charAt(0).toLowerCase() + each.name.slice(1);
        return [name, kafkaDefault(each, { definition, inner: nested })];
      }),
    );
  }
  switch (field.type) {
    case "string":
      return field.default ?? "";
    case "bool":
      return String(field.default ?? "false") === "true";
    case "bytes":
      return [];
    case "uuid":
      return zeroUuid;
    default:
      return Number(field.default ?? 0);
  }
}

function wireType(type: string): string {
  return type === "bool" ? "boolean" : type;
}

function isNullableThroughout(field: KafkaField, definition: KafkaDefinition): boolean {
  const [min = 0, max = 0] = rangeOf(definition.validVersions) ?? [];
  const [from = 0] = rangeOf(field.versions ?? field.taggedVersions ?? "0+") ?? [];
  return max >= min && holds(field.nullableVersions, Math.max(min, from));
}

function declaredFacts(
  fields: Fields,
  context: { version: number; isFlexible: boolean; isParentPresent?: boolean },
): FieldFacts[] {
  const { version, isFlexible, isParentPresent = true } = context;
  return Object.entries(fields).map(([name, field]) => {
    const { since, until, nullableSince, tag, ignorable, neverFlexible } = field.traits;
    const isPresent = isParentPresent && since <= version && version <= until;
    const { element, isArray } = elementOf(field);
    const inner = element.shape.kind === "struct" ? element.shape.fields : undefined;
    return {
      name,
      type: element.shape.kind === "primitive" ? element.shape.type : element.shape.kind,
      isArray,
      isPresent,
      isNullable: isPresent && nullableSince <= version,
      isCompact: isPresent && isFlexible && !neverFlexible,
      tag: isPresent ? tag : undefined,
      isIgnorable: ignorable,
      default: plain(defaultValue(field)),
      fields: inner ? declaredFacts(inner, { ...context, isParentPresent: isPresent }) : [],
    };
  });
}

function elementOf(field: Field<unknown, unknown>): { element: Field<unknown, unknown>; isArray: boolean } {
  return field.shape.kind === "array"
    ? { element: field.shape.of, isArray: true }
    : { element: field, isArray: false };
}

/** Byte values as plain lists, at any depth, so that they compare by content. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}
