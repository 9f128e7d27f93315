import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");

/** Node's arguments that run the broker as `npm start` does: flags and the entry, before the broker's own arguments. */
export function startArguments(nodeArguments: readonly string[] = []): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: { start: string };
  };
  const [, ...words] = scripts.start.split(" ");
  const entry = words.pop() ?? "";
  return [...words, ...nodeArguments, join(root, entry)];
}
