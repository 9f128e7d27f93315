import { describe, expect, test } from "vitest";
import { UsageError } from "#src/cli/failure.ts";
import { compileFormat } from "#src/cli/record-format.ts";
import { exampleRecord as record } from "./example-record.ts";

describe("formats", () => {
  test("put fields where their letters are", () => {
    const format = compileFormat("%t/%p@%o %k=%s [%h] %T %K:%S %%\\n");
    expect(format(record).toString()).toBe("t/3@42 k=v\u00e4 [a=1,b=] 1700000000000 1:3 %\n");
  });

  test("leave bytes of keys and values alone", () => {
    const value = Buffer.from([0xff, 0x5c, 0x6e, 0x25, 0x73]);
    expect(compileFormat("%s")({ ...record, value })).toEqual(value);
    expect(compileFormat("%k%s|%K|%S")({ ...record, key: null, value: null }).toString()).toBe("|-1|-1");
  });

  test.each(["%x", "%", "\\q", "a\\"])("%j is none", (text) => {
    expect(() => compileFormat(text)).toThrow(UsageError);
  });
});
