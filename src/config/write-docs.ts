import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configurationPage } from "./configuration-page.ts";

// Run by hand after a change of a config table: `node src/config/write-docs.ts`.
writeFileSync(fileURLToPath(new URL("../../docs/configuration.md", import.meta.url)), configurationPage());
