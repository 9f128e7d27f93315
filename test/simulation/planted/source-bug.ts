import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/** One place of a source that reads otherwise with the bug in it. */
export interface SourceEdit {
  /** From the repository's root. */
  readonly file: string;
  /** There exactly once. */
  readonly from: string;
  readonly to: string;
}

/** A mistake in the sources themselves, where a class has no method that could be replaced. */
export interface SourceBug {
  /** What the broker does, in a few words: its name on the command line too. */
  readonly name: string;
  /** The trap that it falls into. */
  readonly trap: string;
  /** Nodes that it takes to show it; three unless told. */
  readonly nodeCount?: number;
  readonly edits: readonly SourceEdit[];
}

const root = new URL("../../../", import.meta.url);

/** What a source reads with an edit in it. @throws Error where its place is not there, or not alone */
export function edited(source: string, { file, from, to }: SourceEdit): string {
  const [before, after, ...more] = source.split(from);
  if (after === undefined || more.length > 0) {
    throw new Error(`Cannot plant a bug in "${file}": "${from}" is not there, or not alone`);
  }
  return `${before}${to}${after}`;
}

/** Lets sources be loaded with these edits from here on; none of them may have been loaded before. */
export function loadWithEdits(edits: readonly SourceEdit[]): void {
  const byUrl = Map.groupBy(edits, ({ file }) => new URL(file, root).href);
  registerHooks({
    load: (url, context, nextLoad) => {
      const ofFile = byUrl.get(url);
      if (!ofFile) return nextLoad(url, context);
      const source = ofFile.reduce(edited, readFileSync(fileURLToPath(url), "utf8"));
      return { format: "module-typescript", source, shortCircuit: true };
    },
  });
}
