const lineBreak = 0x0a;

/** A line longer than this is no line: whatever is read has no line breaks. */
const lineBytesMax = 64 << 20;

/** A line is too long to be one. */
export class LineTooLongError extends Error {
  constructor(number: number) {
    super(`Cannot read line ${number}: it is longer than ${lineBytesMax >> 20} MiB`);
    this.name = "LineTooLongError";
  }
}

/** Splits bytes at line breaks; a last line without one counts. Lines are views that stay good. @throws LineTooLongError */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Buffer[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let number = 1;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(lineBreak); end >= 0; end = bytes.indexOf(lineBreak, start)) {
      const line = bytes.subarray(start, end);
      lines.push(rest.length === 0 ? line : Buffer.concat([...rest, line]));
      rest = [];
      restBytes = 0;
      start = end + 1;
    }
    if (start < bytes.length) rest.push(bytes.subarray(start));
    restBytes += bytes.length - start;
    number += lines.length;
    if (restBytes > lineBytesMax) throw new LineTooLongError(number);
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [Buffer.concat(rest)];
}
