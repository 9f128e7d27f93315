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
  const before = (await keptResults()).find(({ name }) => name === results.name);
  // What a client asks for by the way, such as after a restart, it does not ask for in every run.
  const isSame = before?.version === results.version;
  const apis = isSame ? union(before.apis, results.apis) : results.apis;
  const text = JSON.stringify({ ...results, apis }, undefined, 2);
  // A list of versions takes a line, as the formatter wants it.
  const compact = text.replaceAll(/\[[\d,\s]+\]/g, (list) =>
    list.replaceAll(/\s+/g, "").replaceAll(",", ", "),
  );
  const file = `${results.name.replaceAll(/[^a-z0-9.]+/gi, "-").replace(/^-/, "")}.json`;
  await writeFile(join(directory, file), `${compact}\n`);
}

/** The outcomes that the last run of each suite left, by the clients' names. */
export async function keptResults(): Promise<ClientResults[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".json"));
  const texts = await Promise.all(files.map((file) => readFile(join(directory, file), "utf8")));
  const results = texts.map((text) => JSON.parse(text) as ClientResults);
  return results.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

function sortKey({ name }: ClientResults): string {
  return name.replace("@", "").toLowerCase();
}

function union(before: ApiVersions, now: ApiVersions): ApiVersions {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].toSorted();
  return Object.fromEntries(
    names.map((name) => {
      const versions = new Set([...(before[name] ?? []), ...(now[name] ?? [])]);
      return [name, [...versions].toSorted((a, b) => a - b)];
    }),
  );
}
