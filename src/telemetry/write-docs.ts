import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { metricsPage } from "./metrics-page.ts";

// Run by hand after a change of a metric: `node src/telemetry/write-docs.ts`.
writeFileSync(fileURLToPath(new URL("../../docs/metrics.md", import.meta.url)), metricsPage());
