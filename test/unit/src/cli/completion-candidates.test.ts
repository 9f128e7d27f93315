import { describe, expect, test } from "vitest";
import { commandTree } from "#src/cli/command-tree.ts";
import { candidatesFor } from "#src/cli/completion-candidates.ts";

function words(...line: string[]): readonly string[] | string {
  const offer = candidatesFor(commandTree, line);
  return offer.kind === "candidates" ? offer.candidates.map(({ word }) => word) : offer.kind;
}

describe("what may come next", () => {
  test("the first word is a command", () => {
    expect(words("")).toEqual(commandTree.map(({ name }) => name));
  });

  test("commands of several words come word by word, each once", () => {
    expect(words("topics", "")).toEqual([
      "list",
      "create",
      "describe",
      "add-partitions",
      "delete",
      "configs",
    ]);
    expect(words("topics", "configs", "")).toEqual(["get", "set", "unset"]);
  });

  test("a command may have others below it", () => {
    expect(words("cluster", "")).toEqual(["maintenance", "decommission", "unregister"]);
    expect(words("cluster", "-")).toContain("--apis");
    expect(words("cluster", "maintenance", "-")).toContain("--node");
  });

  test("a dash asks for flags, those given left out", () => {
    const flags = words("topics", "create", "x", "--dry-run", "--config", "a=b", "-");
    expect(flags).toContain("--partitions");
    expect(flags).toContain("--config");
    expect(flags).not.toContain("--dry-run");
  });

  test("names of topics and groups are asked for where one comes", () => {
    expect(words("topics", "describe", "")).toBe("topic");
    expect(words("topics", "delete", "a", "")).toBe("topic");
    expect(words("consume", "a", "--group", "")).toBe("group");
    expect(words("consume", "a", "-g", "")).toBe("group");
    expect(words("groups", "reset", "g", "-t", "")).toBe("topic");
  });

  test("a flag's value is no word: the file comes second", () => {
    expect(words("produce", "--key", "k", "")).toBe("topic");
    expect(words("produce", "--key", "k", "t", "")).toBe("file");
  });

  test("choices are offered as they are", () => {
    expect(words("produce", "t", "-z", "")).toEqual(["none", "gzip", "snappy", "lz4", "zstd"]);
    expect(words("completion", "")).toEqual(["bash", "zsh", "fish"]);
  });

  test("nothing is offered where nothing can be known", () => {
    expect(words("topics", "create", "")).toEqual([]);
    expect(words("nonsense", "")).toEqual([]);
  });
});
