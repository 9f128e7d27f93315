import { expect, test } from "vitest";
import { takeNodeFlags } from "#src/supervisor/several-nodes.ts";

test("a command line without the two flags is one broker's, and goes on as it is", () => {
  const args = ["--log.dirs", "x", "--config=file"];
  expect(takeNodeFlags(args)).toEqual({ nodes: { kind: "one" }, args });
});

test("the number of cores comes with the flag or behind it, and the configs around it stay", () => {
  const nodes = { kind: "cores", count: 4 };
  expect(takeNodeFlags(["--a=1", "--cores=4", "--b=2"])).toEqual({ nodes, args: ["--a=1", "--b=2"] });
  expect(takeNodeFlags(["--cores", "4", "--b=2"])).toEqual({ nodes, args: ["--b=2"] });
});

test("a local cluster takes no number", () => {
  expect(takeNodeFlags(["--local-cluster", "--a=1"])).toEqual({ nodes: { kind: "local" }, args: ["--a=1"] });
});

test.each([["0"], ["65"], ["two"], [""], ["-1"], ["1.5"]])("--cores %j is refused", (cores) => {
  const { nodes } = takeNodeFlags(["--cores", cores]);
  expect(nodes).toMatchObject({
    problem: `Cannot use --cores "${cores}": it is a whole number from 1 to 64`,
  });
});

test("both flags together are refused", () => {
  expect(takeNodeFlags(["--cores", "3", "--local-cluster"]).nodes.kind).toBe("problem");
});
