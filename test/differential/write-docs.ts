import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { differencesPage } from "./differences-page.ts";

writeFileSync(fileURLToPath(new URL("../../docs/differences.md", import.meta.url)), differencesPage());
