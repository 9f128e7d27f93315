import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { commandLinePage } from "./command-line-page.ts";
import { commandTree } from "./command-tree.ts";

writeFileSync(
  fileURLToPath(new URL("../../docs/command-line.md", import.meta.url)),
  commandLinePage(commandTree),
);
