import type { Api } from "#protocol/schema/api.ts";
import type { Field, Fields } from "#protocol/schema/field.ts";

/** Error codes found in responses. */
export class ErrorTally {
  /** Successes: nearly all. */
  none = 0;
  /** By code, those that are not 0. */
  readonly failures = new Map<number, number>();

  fail(code: number): void {
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
  }
}

/** Adds each error code of a response to the tally; a code that is left out is 0. */
export type ErrorCounter = (response: unknown, tally: ErrorTally) => void;

/** Every Kafka message names its error codes so. */
const errorField = "errorCode";

/**
 * Finds the error codes of an API's responses from its declaration, at whatever depth they are. Compiled, as the codecs
 * are: a fetch of a thousand partitions has a thousand codes to look at.
 */
export function errorCounterOf(api: Api): ErrorCounter {
  const source = structSource(api.response.fields, "response", 0);
  return new Function("response", "tally", source) as ErrorCounter;
}

function structSource(fields: Fields, value: string, depth: number): string {
  return Object.entries(fields)
    .map(([name, field]) => fieldSource(name, field, `${value}.${name}`, depth))
    .join("");
}

function fieldSource(name: string, { shape }: Field<unknown, unknown>, value: string, depth: number): string {
  switch (shape.kind) {
    case "primitive":
      return name === errorField ? `if (${value}) tally.fail(${value}); else tally.none += 1;\n` : "";
    case "array": {
      const item = `item${depth}`;
      const body =
        shape.of.shape.kind === "struct" ? structSource(shape.of.shape.fields, item, depth + 1) : "";
      return body === "" ? "" : `if (${value}) for (const ${item} of ${value}) {\n${body}}\n`;
    }
    case "struct": {
      const body = structSource(shape.fields, value, depth);
      return body === "" ? "" : `if (${value}) {\n${body}}\n`;
    }
    default:
      return shape satisfies never;
  }
}
