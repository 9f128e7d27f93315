import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { supportPage } from "./support-page.ts";

// Run by hand after a change of the route table: `node src/handlers/write-docs.ts`.
writeFileSync(fileURLToPath(new URL("../../docs/kafka-support.md", import.meta.url)), supportPage());
