import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { commandLinePage } from "#src/cli/command-line-page.ts";
import { commandTree } from "#src/cli/command-tree.ts";

test("docs/command-line.md is what the commands say (node src/cli/write-docs.ts)", () => {
  const page = readFileSync(new URL("../../../../docs/command-line.md", import.meta.url), "utf8");
  expect(page).toBe(commandLinePage(commandTree));
});
