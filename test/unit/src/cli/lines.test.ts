import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineTooLongError, splitLines } from "#src/cli/lines.ts";
import { chunksOf } from "./fake-world.ts";

describe("lines", () => {
  async function linesOf(pieces: readonly (string | Uint8Array)[]): Promise<string[]> {
    const lines: string[] = [];
    for await (const some of splitLines(chunksOf(pieces))) lines.push(...some.map(String));
    return lines;
  }

  test("are the same however the bytes were cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom("a", "\u00e4", "\n", "\r") })),
        fc.array(fc.nat(20)),
        async (texts, cuts) => {
          const bytes = Buffer.from(texts.join(""));
          const pieces: Buffer[] = [];
          let start = 0;
          for (const cut of cuts) {
            pieces.push(bytes.subarray(start, start + cut));
            start += cut;
          }
          pieces.push(bytes.subarray(start));
          const expected = bytes.toString().split("\n");
          if (expected.at(-1) === "") expected.pop();
          expect(await linesOf(pieces)).toEqual(expected);
        },
      ),
    );
  });

  test("without an end are refused before they fill the memory", async () => {
    const chunk = Buffer.alloc(1 << 20, 0x61);
    await expect(linesOf(Array.from({ length: 65 }, () => chunk))).rejects.toThrow(LineTooLongError);
  });
});
