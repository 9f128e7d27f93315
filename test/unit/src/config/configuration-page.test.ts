import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configurationPage } from "#src/config/configuration-page.ts";
import { helpText } from "#src/config/help-text.ts";

test("docs/configuration.md is what the config tables say: node src/config/write-docs.ts brings it up to date", () => {
  const committed = readFileSync(new URL("../../../../docs/configuration.md", import.meta.url), "utf8");
  expect(committed).toBe(configurationPage());
});

test("the page tells of every config once, in a table where it acts and by its name where it does not", () => {
  const page = configurationPage();
  expect(page).toContain("| `log.segment.bytes` | int | `1073741824` | at least 1048576 | cluster-wide |");
  expect(page.split("## Taken and described")[1]).toContain("`ssl.keystore.password`");
  expect(page.split("## Taken and described")[1]).not.toContain("`log.segment.bytes`");
});

test("help names the configs that act, with their defaults, and no others", () => {
  expect(helpText()).toContain("--millrace.storage=disk\n");
  expect(helpText()).not.toContain("--sasl.");
});
