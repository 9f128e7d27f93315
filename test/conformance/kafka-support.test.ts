import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { apiName } from "#protocol/api-keys.ts";
import { routes } from "#src/handlers/routes.ts";
import { features } from "../clients/features.ts";
import { keptResults } from "../clients/results.ts";
import { supportPage } from "../clients/support-page.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const clientVersionsPath = `${root}/../shared/kafka/client-versions.md`;

describe("docs/kafka-support.md", () => {
  it("is what the route table and the results of the client suites say", async () => {
    expect(readFileSync(`${root}/docs/kafka-support.md`, "utf8")).toBe(supportPage(await keptResults()));
  });

  it("has only clients whose suites passed, in versions that are advertised", async () => {
    const byName = new Map([...routes.values()].map(({ api, advertised }) => [apiName(api.key), advertised]));
    for (const { name, outcomes, apis } of await keptResults()) {
      expect(Object.keys(outcomes), name).toEqual(features);
      expect(Object.values(outcomes), name).not.toContain("fails");
      for (const [api, versions] of Object.entries(apis)) {
        const [min, max] = byName.get(api) ?? [0, -1];
        expect(
          versions.filter((version) => version < min || version > max),
          `${name}: ${api}`,
        ).toEqual([]);
      }
    }
  });
});

const clientVersions = existsSync(clientVersionsPath) ? readFileSync(clientVersionsPath, "utf8") : "";

// Skipped where the shared client table is not beside the checkout.
describe.skipIf(clientVersions === "")("the route table", () => {
  const ranges = new Map(
    [...clientVersions.matchAll(/^\| (\d+) \| \w+ \| [A-D] \| (\d+)-(\d+) \|/gm)].map(([, key, min, max]) => [
      Number(key),
      [Number(min), Number(max)],
    ]),
  );

  it.each([...routes.values()].map(({ api, advertised }) => [api.name, api.key, advertised] as const))(
    "advertises for %s what clients need to see",
    (_name, key, advertised) => {
      expect([...advertised]).toEqual(ranges.get(key));
    },
  );
});
