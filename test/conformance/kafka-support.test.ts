import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { routes } from "#src/handlers/routes.ts";
import { supportPage } from "#src/handlers/support-page.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const clientVersionsPath = `${root}/../shared/kafka/client-versions.md`;

describe("docs/kafka-support.md", () => {
  it("is what the route table says", () => {
    expect(readFileSync(`${root}/docs/kafka-support.md`, "utf8")).toBe(supportPage());
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
