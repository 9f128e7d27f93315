import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recordFromJson, recordToJson } from "#src/cli/record-json.ts";
import { exampleRecord as record } from "./example-record.ts";

describe("JSON records", () => {
  const bytes = fc.option(fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array)));

  test("come back as they were, whatever bytes they have", () => {
    fc.assert(
      fc.property(
        bytes,
        bytes,
        fc.array(fc.record({ key: fc.string(), value: bytes }), { maxLength: 3 }),
        (key, value, headers) => {
          const line = recordToJson({ ...record, key, value, headers });
          expect(line).not.toContain("\n");
          const read = recordFromJson(line, 0);
          const byName = (left: { key: string }, right: { key: string }): number =>
            left.key < right.key ? -1 : 1;
          expect(read).toMatchObject({ partition: 3, timestampMs: record.timestampMs });
          expect(read.key && Buffer.from(read.key)).toEqual(key);
          expect(read.value && Buffer.from(read.value)).toEqual(value);
          // Objects order keys that look like numbers first.
          expect(read.headers?.map((one) => one.key).toSorted()).toEqual(
            headers.map((one) => one.key).toSorted(),
          );
          expect(
            [...(read.headers ?? [])].sort(byName).map((one) => one.value && Buffer.from(one.value)),
          ).toEqual(headers.toSorted(byName).map((one) => one.value));
        },
      ),
    );
  });

  test("have defaults for what they leave out", () => {
    expect(recordFromJson("{}", 7)).toEqual({
      key: null,
      value: null,
      headers: [],
      timestampMs: 7,
      partition: undefined,
    });
  });

  test.each([
    "",
    "[]",
    "1",
    '{"key":1}',
    '{"headers":"x"}',
    '{"headers":[1]}',
    '{"partition":"0"}',
    '{"timestamp":1.5}',
  ])("%j is none", (line) => {
    expect(() => recordFromJson(line, 0)).toThrow();
  });
});
