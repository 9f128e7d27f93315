import { defineConfig } from "vitest/config";

/** Suites by what they prove; a suite runs alone with `vitest run --project NAME`. */
const suites = [
  { name: "unit", testTimeout: 20_000 },
  { name: "contracts", testTimeout: 20_000 },
  { name: "conformance", testTimeout: 60_000 },
  { name: "integration", testTimeout: 120_000 },
  { name: "differential", testTimeout: 180_000 },
  { name: "clients", testTimeout: 120_000 },
  { name: "fuzz", testTimeout: 7_200_000 },
  { name: "simulation", testTimeout: 600_000 },
  { name: "chaos", testTimeout: 7_200_000 },
] as const;

export default defineConfig({
  test: {
    projects: suites.map(({ name, testTimeout }) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        testTimeout,
        hookTimeout: 60_000,
        pool: "forks" as const,
      },
    })),
  },
});
