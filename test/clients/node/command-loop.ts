import { createInterface } from "node:readline";

/** What a command may come with; each has the ones that `ClientDriver` gives it. */
export interface CommandArguments {
  readonly topic: string;
  readonly partitions: number;
  readonly partition: number;
  readonly config: Readonly<Record<string, string>>;
  readonly name: string;
  readonly value: string;
  readonly compression: string;
  readonly idempotent: boolean;
  readonly records: readonly JsonRecord[];
  readonly timestampMs: number;
  readonly offset: number;
  readonly count: number;
  readonly member: string;
  readonly groupId: string;
  readonly stream: string;
}

/** A record to produce, its bytes in base64. */
export interface JsonRecord {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [name: string, value: string | null])[];
  readonly timestampMs: number;
}

export type Commands = Readonly<Record<string, (given: CommandArguments) => unknown>>;

/** Does what stdin says, one JSON command a line, and answers on stdout, in order. */
export async function runCommands(commands: Commands): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, command, arguments: given } = JSON.parse(line) as Request;
    const answer = await new Promise((resolve) => resolve(commands[command]?.(given))).then(
      (result) => ({ id, result: result ?? null }),
      (error: unknown) => ({
        id,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
    );
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

/** Bytes of base64; null stays null. */
export function bytesOf(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, "base64");
}

interface Request {
  readonly id: number;
  readonly command: string;
  readonly arguments: CommandArguments;
}
