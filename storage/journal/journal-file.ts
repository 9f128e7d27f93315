import { join } from "node:path";
import type { File } from "../io/file.ts";

/** One file of the journal, open. */
export interface JournalFile {
  readonly sequence: number;
  readonly file: File;
  readonly sizeBytes: number;
  /** Group → highest index that keeps this file alive; a group goes when its floor passes that index. */
  readonly lastIndexes: Map<number, number>;
}

const namePattern = /^journal-(\d{20})\.log$/;

/** Unfinished files carry this at the end of their name and are removed at start. */
export const unfinishedSuffix = ".tmp";

export function journalPath(directory: string, sequence: number): string {
  return join(directory, `journal-${String(sequence).padStart(20, "0")}.log`);
}

/** The sequence in a journal file's name; undefined for any other name. */
export function sequenceOf(name: string): number | undefined {
  const digits = namePattern.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
