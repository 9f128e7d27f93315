import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a suite found out about one feature of a client; "lacks" is the client's own gap. */
export type Outcome = "works" | "fails" | "lacks";

/** One row of docs/clients.md. */
export interface ClientResults {
  readonly name: string;
  readonly language: string;
  /** As the client itself tells it. */
  readonly version: string;
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

const directory = fileURLToPath(new URL("../../.cache/clients/results/", import.meta.url));

/** Leaves a suite's outcomes for `write-docs.ts`. */
export async function keepResults(results: ClientResults): Promise<void> {
  await mkdir(directory, { recursive: true });
  const file = `${results.name.replaceAll(/[^a-z0-9.]+/gi, "-")}.json`;
  await writeFile(join(directory, file), `${JSON.stringify(results, undefined, 2)}\n`);
}

/** The outcomes that the last run of each suite left. */
export async function keptResults(): Promise<ClientResults[]> {
  const files = await readdir(directory);
  const texts = await Promise.all(files.toSorted().map((file) => readFile(join(directory, file), "utf8")));
  return texts.map((text) => JSON.parse(text) as ClientResults);
}
