import { writeFile } from "node:fs/promises";
import { keptResults } from "./results.ts";
import { supportPage, supportPageUrl } from "./support-page.ts";
import { trapNames } from "./trap-names.ts";
import { trapsPage, trapsPageUrl } from "./traps-page.ts";

/** Writes docs/kafka-support.md from what the last run of each client's suite found, and docs/compatibility-traps.md. */
await writeFile(supportPageUrl, supportPage(await keptResults()));
await writeFile(trapsPageUrl, trapsPage(await trapNames()));
