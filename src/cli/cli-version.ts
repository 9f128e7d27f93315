import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** The version of this package, from the clone or from the installed form. */
export function cliVersion(): string {
  const path = createRequire(import.meta.url).resolve("#package.json");
  const manifest: unknown = JSON.parse(readFileSync(path, "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "";
}
