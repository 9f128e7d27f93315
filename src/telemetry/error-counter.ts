import type { Api } from "#protocol/schema/api.ts";
import type { Field, Fields } from "#protocol/schema/field.ts";

/** Adds each error code of a response to the counts by code; a code that is left out is 0. */
export type ErrorCounter = (response: unknown, counts: Map<number, number>) => void;

/** Every Kafka message names its error codes so. */
const errorField = "errorCode";

/** Finds the error codes of an API's responses from its declaration, at whatever depth they are. */
export function errorCounterOf(api: Api): ErrorCounter {
  return structCounter(api.response.fields) ?? (() => undefined);
}

function structCounter(fields: Fields): ErrorCounter | undefined {
  const counters = Object.entries(fields).flatMap(([name, field]) => fieldCounter(name, field) ?? []);
  const [first] = counters;
  if (!first || counters.length === 1) return first;
  return (struct, counts) => {
    for (const count of counters) count(struct, counts);
  };
}

function fieldCounter(name: string, { shape }: Field<unknown, unknown>): ErrorCounter | undefined {
  switch (shape.kind) {
    case "primitive":
      return name === errorField ? countCode : undefined;
    case "array": {
      const countItem = itemCounter(shape.of);
      if (!countItem) return undefined;
      return (struct, counts) => {
        const items = fieldOf(struct, name);
        if (Array.isArray(items)) for (const item of items) countItem(item, counts);
      };
    }
    case "struct": {
      const countStruct = structCounter(shape.fields);
      if (!countStruct) return undefined;
      return (struct, counts) => {
        const value = fieldOf(struct, name);
        if (value !== undefined && value !== null) countStruct(value, counts);
      };
    }
    default:
      return shape satisfies never;
  }
}

function itemCounter({ shape }: Field<unknown, unknown>): ErrorCounter | undefined {
  return shape.kind === "struct" ? structCounter(shape.fields) : undefined;
}

function countCode(struct: unknown, counts: Map<number, number>): void {
  const value = fieldOf(struct, errorField);
  const code = typeof value === "number" ? value : 0;
  counts.set(code, (counts.get(code) ?? 0) + 1);
}

function fieldOf(struct: unknown, name: string): unknown {
  return (struct as Readonly<Record<string, unknown>>)[name];
}
