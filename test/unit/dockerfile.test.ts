import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadBrokerConfig } from "#src/config/load-broker-config.ts";

/* There is no container engine in the tests: what can be read wrongly without one is read here. */

const root = new URL("../../", import.meta.url);
const dockerfile = readFileSync(new URL("Dockerfile", root), "utf8");

test("the image's properties file is one that the broker takes", () => {
  const [, block = ""] =
    /RUN printf '%s\\n'([\s\S]*?) > \/etc\/millrace\/server.properties/.exec(dockerfile) ?? [];
  const lines = [...block.matchAll(/'([^']+)'/g)].map(([, line]) => line);
  expect(lines).toHaveLength(3);
  const loaded = loadBrokerConfig({
    args: ["--config", "server.properties"],
    environment: { MILLRACE_ADVERTISED_LISTENERS: "PLAINTEXT://localhost:9092" },
    readFile: () => lines.join("\n"),
  });
  expect(loaded).toMatchObject({ kind: "config", config: { logDirectory: "/var/lib/millrace" } });
});

test("what the image copies is there, and the build context holds it", () => {
  const context = readFileSync(new URL(".dockerignore", root), "utf8").split("\n");
  expect(context).toContain("*");
  for (const name of [
    "package.json",
    "package-lock.json",
    ".npmrc",
    "package",
    "src",
    "tsconfig.base.json",
    "LICENSE",
  ]) {
    expect(existsSync(new URL(name, root))).toBe(true);
    expect(context).toContain(`!${name}`);
  }
});

test("the broker is process 1, is not root, and has a health check", () => {
  // The exec form, without a shell that would keep the signals, of the entry that the build leaves there.
  expect(dockerfile).toMatch(/^ENTRYPOINT \["node", (?:"--[\w-]+=\d+", )*"\/app\/package\/millrace\.js"\]$/m);
  expect(dockerfile).toMatch(/^USER 1000:1000$/m);
  expect(dockerfile).toMatch(/^HEALTHCHECK /m);
});
