import { describe, expect, test } from "vitest";
import { formatFields, formatTable } from "#src/cli/table.ts";

describe("tables", () => {
  test("columns are as wide as what they hold, numbers stand at the right", () => {
    const columns = [{ title: "NAME" }, { title: "N", isNumber: true }];
    expect(
      formatTable(
        columns,
        [
          ["orders", 1],
          ["x", 1000],
        ],
        { hasColour: false },
      ),
    ).toBe("NAME       N\norders     1\nx       1000\n");
  });

  test("colour does not shift columns", () => {
    const columns = [{ title: "A" }, { title: "B" }];
    const plain = formatTable(columns, [[{ text: "x", style: "red" }, "y"]], { hasColour: false });
    const coloured = formatTable(columns, [[{ text: "x", style: "red" }, "y"]], { hasColour: true });
    expect(plain).toBe("A  B\nx  y\n");
    expect(coloured).toContain("\u001b[31mx\u001b[39m  y");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for.
    expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(plain);
  });

  test("fields stand below each other", () => {
    expect(
      formatFields(
        [
          ["Id", "x"],
          ["Topics", 3],
        ],
        { hasColour: false },
      ),
    ).toBe("Id      x\nTopics  3\n");
  });
});
