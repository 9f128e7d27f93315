/** One `key=value` of a properties file. */
export interface Property {
  readonly key: string;
  readonly value: string;
  /** Where it begins, from 1. */
  readonly line: number;
}

export interface ParsedProperties {
  readonly properties: readonly Property[];
  readonly problems: readonly string[];
}

/**
 * Reads the syntax of Java's properties files: `#` and `!` comments, `=`, `:` or blank between key and value,
 * a backslash at a line's end to continue it, and the escapes \t \n \r \f \uXXXX.
 */
export function parseProperties(text: string): ParsedProperties {
  const properties: Property[] = [];
  const problems: string[] = [];
  for (const { content, line } of logicalLines(text)) {
    const { rawKey, rawValue } = splitAtSeparator(content);
    const key = decodeEscapes(rawKey);
    const value = decodeEscapes(rawValue);
    if (key === undefined || value === undefined) {
      problems.push(`Cannot read line ${line}: \\u is not followed by four hexadecimal digits`);
    } else {
      properties.push({ key, value: value.trim(), line });
    }
  }
  return { properties, problems };
}

/** Lines with their continuations joined; comments and blank lines are gone. */
function logicalLines(text: string): { content: string; line: number }[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  const joined: { content: string; line: number }[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    let content = (lines[index] ?? "").trimStart();
    // A comment ends with its line, even where that ends with a backslash.
    if (content === "" || content.startsWith("#") || content.startsWith("!")) continue;
    while (endsWithContinuation(content)) {
      index++;
      content = content.slice(0, -1) + (lines[index] ?? "").trimStart();
    }
    joined.push({ content, line });
  }
  return joined;
}

/** An even number of backslashes at the end is made of escaped ones. */
function endsWithContinuation(line: string): boolean {
  const trailing = /\\*$/.exec(line)?.[0].length ?? 0;
  return trailing % 2 === 1;
}

function splitAtSeparator(content: string): { rawKey: string; rawValue: string } {
  const rawKey = /^(?:\\.|[^\\=:\s])*/.exec(content)?.[0] ?? "";
  const rawValue = content.slice(rawKey.length).replace(/^\s*[=:]?\s*/, "");
  return { rawKey, rawValue };
}

const escapes: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

/** Undefined where a \u escape is broken; a backslash before any other character stands for that character. */
function decodeEscapes(raw: string): string | undefined {
  if (/(?<!\\)(?:\\\\)*\\u(?![0-9a-fA-F]{4})/.test(raw)) return undefined;
  return raw.replace(/\\(?:u([0-9a-fA-F]{4})|(.)|$)/g, (_, code?: string, plain?: string) =>
    code ? String.fromCharCode(Number.parseInt(code, 16)) : (escapes[plain ?? ""] ?? plain ?? ""),
  );
}
