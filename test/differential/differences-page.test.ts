import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { differencesPage } from "./differences-page.ts";
import { intendedDifferences } from "./intended-differences.ts";

test("docs/differences.md is what the list of intended differences makes of it", () => {
  const page = readFileSync(fileURLToPath(new URL("../../docs/differences.md", import.meta.url)), "utf8");
  expect(page).toBe(differencesPage());
});

test("each intended difference has a title of its own and a reason", () => {
  const titles = intendedDifferences.map(({ title }) => title);
  expect(new Set(titles).size).toBe(titles.length);
  expect(intendedDifferences.filter(({ why }) => !why.endsWith("."))).toEqual([]);
});
