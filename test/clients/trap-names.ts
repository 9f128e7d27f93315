import { glob, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const mention = /\btraps? (\d+)((?:, \d+)*(?: and \d+)?)/g;

/** The test files that name each trap, as "(trap 16)" or "(traps 6 and 7)" do. */
export async function trapNames(): Promise<ReadonlyMap<number, readonly string[]>> {
  const names = new Map<number, string[]>();
  const files: string[] = [];
  for await (const file of glob("test/**/*.test.ts", { cwd: root })) files.push(file.replaceAll("\\", "/"));
  for (const file of files.toSorted()) {
    for (const number of trapsNamedIn(await readFile(root + file, "utf8"))) {
      names.set(number, [...(names.get(number) ?? []), file]);
    }
  }
  return names;
}

function trapsNamedIn(text: string): ReadonlySet<number> {
  const numbers = Array.from(text.matchAll(mention)).flatMap(([, first, more = ""]) => [
    Number(first),
    ...Array.from(more.matchAll(/\d+/g), ([digits]) => Number(digits)),
  ]);
  return new Set(numbers);
}
