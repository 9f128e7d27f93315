import type { Api } from "#protocol/schema/api.ts";
import { defaultValue } from "#protocol/schema/defaults.ts";
import type { Field, Fields } from "#protocol/schema/field.ts";
import { type Scenario, scenario, type VersionBounds } from "../scenario.ts";
import type { Wire } from "../wire.ts";

type Struct = Record<string, unknown>;

/** Waits and counts that would take long where a broker grants them. */
const leftAlone = new Set([
  "maxWaitMs",
  "timeoutMs",
  "sessionTimeoutMs",
  "rebalanceTimeoutMs",
  "numPartitions",
  "count",
  "replicaId",
  "replicaState",
  "highWatermark",
  // 1 is the broker that is compared: Kafka forgets it while it runs.
  "brokerId",
]);

/** Without it there would be no answers to compare. */
const answered: ReadonlyMap<string, Struct> = new Map([["Produce", { acks: -1 }]]);

/**
 * Requests in which one field has an odd value and all others are left out, but for one element in each array:
 * what happens to requests that nobody writes on purpose. Made from the declaration, so none is forgotten.
 */
export function oddValues(api: Api): Scenario[] {
  const { fields } = api.request;
  const plainRequest = (version: number): Struct => ({
    ...plain(fields, version),
    ...answered.get(api.name),
  });
  const scenarios = [
    scenario(api, "odd: nothing said", (wire) => wire.send("request", api, { ...answered.get(api.name) })),
    scenario(api, "odd: one element in each list", (wire) =>
      wire.send("request", api, plainRequest(wire.version)),
    ),
  ];
  for (const { path, value, bounds } of oddPaths(fields)) {
    const name = `odd: ${path.join(".")} is ${shown(value)}`;
    const run = (wire: Wire) => wire.send("request", api, replaced(plainRequest(wire.version), path, value));
    scenarios.push(scenario(api, name, run, bounds));
  }
  // A field that only an unstable version has is in none that is served.
  return scenarios.filter(({ versions }) => versions.length > 0);
}

/** All fields that the version has, each with what it is by default. */
function plain(fields: Fields, version: number): Struct {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, { traits }]) => traits.since <= version && version <= traits.until)
      .filter(([, { traits }]) => traits.tag === undefined)
      .map(([name, field]) => [name, plainValue(name, field, version)]),
  );
}

function plainValue(name: string, field: Field<unknown, unknown>, version: number): unknown {
  if (name === "timeoutMs") return 10_000;
  const { shape } = field;
  if (shape.kind === "array") return [plainValue(name, shape.of, version)];
  if (shape.kind === "struct") return plain(shape.fields, version);
  return defaultValue(field);
}

interface OddPath {
  readonly path: readonly string[];
  readonly value: unknown;
  /** The versions that have the field. */
  readonly bounds: VersionBounds;
}

function* oddPaths(
  fields: Fields,
  before: readonly string[] = [],
  outer: VersionBounds = {},
): Generator<OddPath> {
  for (const [name, field] of Object.entries(fields)) {
    if (leftAlone.has(name) || field.traits.tag !== undefined) continue;
    const path = [...before, name];
    const since = Math.max(outer.since ?? 0, field.traits.since);
    const until = Math.min(outer.until ?? Number.POSITIVE_INFINITY, field.traits.until);
    for (const value of oddValuesOf(field)) yield { path, value, bounds: { since, until } };
    const { shape } = field;
    const inner = shape.kind === "array" ? shape.of.shape : shape;
    if (inner.kind === "struct") yield* oddPaths(inner.fields, path, { since, until });
  }
}

function oddValuesOf({ shape, traits }: Field<unknown, unknown>): unknown[] {
  const values: unknown[] = Number.isFinite(traits.nullableSince) ? [null] : [];
  if (shape.kind === "array") return [...values, []];
  if (shape.kind === "struct") return values;
  switch (shape.type) {
    case "int8":
      return [...values, -1, 1, 127];
    case "int16":
      return [...values, -1, 1, 0x7fff];
    case "int32":
      return [...values, -1, 1, 0x7fff_ffff];
    case "int64":
      return [...values, -2, 1, 2 ** 53 - 1];
    case "boolean":
      return [true, false];
    case "string":
      return [...values, "no-such", "bad name!", "n".repeat(300)];
    case "uuid":
      return ["ZmFsc2UtdG9waWMtaWQtMQ"];
    default:
      return [...values, Buffer.from("bytes")];
  }
}

function replaced(struct: Struct, [name = "", ...rest]: readonly string[], value: unknown): Struct {
  if (rest.length === 0) return { ...struct, [name]: value };
  const inner = struct[name];
  const changed = Array.isArray(inner)
    ? inner.map((element) => replaced(element as Struct, rest, value))
    : replaced(inner as Struct, rest, value);
  return { ...struct, [name]: changed };
}

function shown(value: unknown): string {
  if (value instanceof Uint8Array) return "bytes";
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.length - 2} characters` : text;
}
