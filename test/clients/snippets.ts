import { readFile } from "node:fs/promises";

/** A program in a page of the documentation. */
export interface Snippet {
  /** "README.md:70", where its text begins. */
  readonly place: string;
  /** Of the fence: js, ts, py, go, java, sh. */
  readonly language: string;
  readonly text: string;
}

const root = new URL("../../", import.meta.url);
const fence = /^```(\w+)\n([\s\S]*?)^```$/gm;

/** The fenced blocks of a page, in order. */
export async function snippetsOf(page: string): Promise<Snippet[]> {
  const markdown = await readFile(new URL(page, root), "utf8");
  return Array.from(markdown.matchAll(fence), ({ index, 1: language = "", 2: text = "" }) => {
    const line = markdown.slice(0, index).split("\n").length + 1;
    return { place: `${page}:${line}`, language, text };
  });
}
