import { intendedDifferences } from "./intended-differences.ts";

/** docs/differences.md as text. */
export function differencesPage(): string {
  const sections = intendedDifferences.map(({ title, why, apis }) => {
    const where = apis ? `\n\nSeen in: ${apis.join(", ")}.` : "";
    return `## ${title}\n\n${wrapped(why)}${where}\n`;
  });
  return `${introduction}\n${sections.join("\n")}`;
}

const introduction = `# Where Millrace differs from Apache Kafka on purpose

Generated from the list of the differential test (\`node test/differential/write-docs.ts\`). That test sends each
request of each served version, valid, odd and wrong ones, to Apache Kafka 4.3.1 and to Millrace, compares the
answers field by field, and fails at each difference that does not fall under one of these, and at each of
these that no longer shows. Ids, ports, times, the number of the first leader epoch (0 in Kafka, 1 here: a Raft
term) and the words of messages are given names before they are compared.
`;

const lineWidth = 108;

function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= lineWidth) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines.join("\n");
}
