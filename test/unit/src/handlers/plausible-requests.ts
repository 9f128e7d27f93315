import * as fc from "fast-check";
import type { Api } from "#protocol/schema/api.ts";
import type { Field, Fields } from "#protocol/schema/field.ts";
import { arbitraryStruct } from "../../../conformance/protocol/arbitrary-values.ts";

/** What there is for requests to hit. */
export interface Surroundings {
  readonly topics: readonly string[];
  readonly topicIds: readonly string[];
  readonly groups: readonly string[];
  readonly batch: Uint8Array;
}

/**
 * Requests of any shape that the version can carry, whose names and numbers often hit something that exists and
 * whose times are short: neither all refused at the door nor all typical.
 */
export function plausibleRequest(
  api: Api,
  version: number,
  surroundings: Surroundings,
): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .tuple(arbitraryStruct(api.request.fields, version), fc.infiniteStream(fc.nat()))
    .map(([request, stream]) => {
      const random = stream[Symbol.iterator]();
      const next = (): number => random.next().value ?? 0;
      return steerStruct(request, api.request.fields, { ...surroundings, version, next });
    });
}

interface Steering extends Surroundings {
  readonly version: number;
  readonly next: () => number;
}

type Struct = Record<string, unknown>;

function steerStruct(value: Struct, fields: Fields, steering: Steering): Struct {
  const entries = Object.entries(fields).map(([name, field]) => {
    const { since, until } = field.traits;
    const isAbsent = steering.version < since || steering.version > until;
    return [name, isAbsent ? value[name] : steer(value[name], name, field, steering)];
  });
  return Object.fromEntries(entries);
}

function steer(
  value: unknown,
  name: string,
  { shape }: Field<unknown, unknown>,
  steering: Steering,
): unknown {
  if (value === null) return null;
  if (shape.kind === "struct") return steerStruct(value as Struct, shape.fields, steering);
  if (shape.kind === "array") {
    return (value as unknown[]).map((element) => steer(element, name, shape.of, steering));
  }
  if (shape.type === "records") return steering.next() % 2 === 0 ? Buffer.from(steering.batch) : value;
  if (typeof value === "string") return steerText(value, name, steering);
  return typeof value === "number" ? steerNumber(value, name, steering.next()) : value;
}

function steerText(text: string, name: string, { next, topics, topicIds, groups }: Steering): string {
  const choice = next();
  const pool = /^topicId$/.test(name) ? topicIds : /group|key/i.test(name) ? groups : topics;
  const isNamed =
    /^(topic|name|topicId|topicName|topicNames|resourceName|groupId|groups|groupsNames|key)$/.test(name);
  if (!isNamed || choice % 4 === 0) return text;
  return pool[choice % pool.length] ?? text;
}

/** Bounds what would only make the test slow: waits and large topics. */
function steerNumber(value: number, name: string, choice: number): number {
  if (/^(partition|partitionIndex|index|partitionIndexes|partitions)$/.test(name)) return (choice % 4) - 1;
  if (/^(numPartitions|count)$/.test(name)) return (choice % 5) - 1;
  if (/^(replicationFactor|acks)$/.test(name)) return (choice % 4) - 1;
  if (/^resourceType$/.test(name)) return [2, 4, 8, 16, 32, 3][choice % 6] ?? 0;
  if (/^(keyType|configOperation)$/.test(name)) return choice % 5;
  if (/^(sessionTimeoutMs|rebalanceTimeoutMs)$/.test(name)) return 6_000 + (choice % 4_000);
  if (/Ms$/.test(name)) return choice % 1_000;
  if (/^(sessionId)$/.test(name)) return choice % 3 === 0 ? value : 0;
  if (/^(brokerIds)$/.test(name)) return choice % 3;
  if (/^(fetchOffset|offset|timestamp)$/.test(name)) return choice % 3 === 0 ? value : (choice % 12) - 6;
  if (/Epoch$/.test(name)) return choice % 3 === 0 ? value : (choice % 4) - 1;
  return value;
}
