import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseProperties } from "#src/config/properties.ts";

const entries = (text: string) => parseProperties(text).properties.map(({ key, value }) => [key, value]);

describe("a properties file", () => {
  test("separates key and value by =, : or blanks", () => {
    expect(entries("a=1\nb:2\nc 3\nd = 4\ne : 5\nf\t=\t6\ng")).toEqual([
      ["a", "1"],
      ["b", "2"],
      ["c", "3"],
      ["d", "4"],
      ["e", "5"],
      ["f", "6"],
      ["g", ""],
    ]);
  });

  test("keeps what follows the first separator: listeners hold colons and equals signs", () => {
    expect(entries("listeners=PLAINTEXT://:9092,B://[::1]:1=x")).toEqual([
      ["listeners", "PLAINTEXT://:9092,B://[::1]:1=x"],
    ]);
  });

  test("skips comments and blank lines, and a comment is not continued", () => {
    expect(entries("# one \\\na=1\n\n  ! two\r\n   b=2")).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
  });

  test("continues a line after a backslash, without the next line's indent", () => {
    expect(entries("a=1,\\\n   2,\\\r\n\t3\nb=x\\\\\nc=y")).toEqual([
      ["a", "1,2,3"],
      ["b", "x\\"],
      ["c", "y"],
    ]);
  });

  test("decodes escapes in keys and values", () => {
    expect(entries("a\\ b\\=c=\\u0041\\tx\\q\\:\nd=\\\\u0041")).toEqual([
      ["a b=c", "A\tx" + "q:"],
      ["d", "\\u0041"],
    ]);
  });

  test("reports a broken unicode escape with its line and reads on", () => {
    const { properties, problems } = parseProperties("\na=\\u00zz\nb=2");
    expect(properties).toEqual([{ key: "b", value: "2", line: 3 }]);
    expect(problems).toEqual(["Cannot read line 2: \\u is not followed by four hexadecimal digits"]);
  });

  test("names the line where a continued setting begins", () => {
    expect(parseProperties("a=1\\\n2\nb=3").properties.map(({ line }) => line)).toEqual([1, 3]);
  });

  test("reads back what was escaped, whatever the text", () => {
    const escaped = (text: string) =>
      text.replace(/[^a-zA-Z0-9]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (key, value) => {
        expect(entries(`${escaped(key)}=${escaped(value)}`)).toEqual([[key, value.trim()]]);
      }),
    );
  });

  test("never throws, whatever the text", () => {
    const part = fc.constantFrom("\\", "\n", "\r\n", "=", ":", " ", "#", "!", "u", "\\u00", "a");
    fc.assert(fc.property(fc.array(part), (parts) => void parseProperties(parts.join(""))));
  });
});
