import type { Terminal } from "./terminal.ts";

/** One value as JSON: indented for whoever looks at it, and one document for whoever parses it. */
export async function writeJson(terminal: Terminal, value: unknown): Promise<void> {
  await terminal.write(`${JSON.stringify(value, null, 2)}\n`);
}
