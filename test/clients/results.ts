import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ApiVersions } from "./api-use.ts";

/** What a suite found out about one feature of a client; "lacks" is the client's own gap. */
export type Outcome = "works" | "fails" | "lacks";

/** What a client's suite found out. */
export interface ClientResults {
  readonly name: string;
  readonly language: string;
  /** As the client itself tells it. */
  readonly version: string;
  readonly outcomes: Readonly<Record<string, Outcome>>;
  /** What it asked the broker, in which versions. */
  readonly apis: ApiVersions;
}

/** In the repository, so that the page of them can be checked where the clients are not installed. */
const directory = fileURLToPath(new URL("results/", import.meta.url));

/** Leaves a suite's outcomes for `write-docs.ts`. */
export async function keepResults(results: ClientResults): Promise<void> {
  await mkdir(directory, { recursive: true });
  const file = `${results.name.replaceAll(/[^a-z0-9.]+/gi, "-")}.json`;
  const text = JSON.stringify(results, undefined, 2);
  // A list of versions takes a line, as the formatter wants it.
  const compact = text.replaceAll(/\[[\d,\s]+\]/g, (list) =>
    list.replaceAll(/\s+/g, "").replaceAll(",", ", "),
  );
  await writeFile(join(directory, file), `${compact}\n`);
}

/** The outcomes that the last run of each suite left. */
export async function keptResults(): Promise<ClientResults[]> {
  const files = await readdir(directory);
  const texts = await Promise.all(files.toSorted().map((file) => readFile(join(directory, file), "utf8")));
  return texts.map((text) => JSON.parse(text) as ClientResults);
}
