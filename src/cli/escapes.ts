import { UsageError } from "./failure.ts";

const escapes: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["0", "\0"],
  ["\\", "\\"],
]);

/** Turns `\t`, `\n`, `\r`, `\0`, `\\` and `\x1f` into what they stand for. @throws UsageError for other escapes */
export function unescapeText(flag: string, text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|.|$)/gs, (whole, code: string) => {
    if (code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    const meant = escapes.get(code);
    if (meant === undefined)
      throw new UsageError(`Cannot use ${flag} "${text}": "${whole}" stands for nothing`);
    return meant;
  });
}
