import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const path = join(import.meta.dirname, "..", "..", "docs", "benchmarks.md");

/** Replaces what stands between a bench's marks in docs/benchmarks.md. @throws Error where the page lacks the marks */
export async function rewriteTable(bench: string, tableAfter: (old: string) => string): Promise<void> {
  const start = `<!-- ${bench}: written by npm run bench:${bench} -- --write -->`;
  const end = `<!-- end of ${bench} -->`;
  const page = await readFile(path, "utf8");
  const [before, rest] = page.split(start);
  const [old, after] = rest?.split(end) ?? [];
  if (before === undefined || old === undefined || after === undefined) {
    throw new Error(`Cannot write the table: ${path} lacks its marks`);
  }
  await writeFile(path, `${before}${start}\n\n${tableAfter(old)}\n\n${end}${after}`);
}
