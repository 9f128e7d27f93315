import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { within } from "../integration/wait-until.ts";

/** A record as it is produced and read; bytes that are not there are null. */
export interface DrivenRecord {
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[];
  readonly timestampMs: number;
}

/** A record as it was read. */
export interface ReadRecord extends DrivenRecord {
  readonly offset: number;
}

/** What one member of a group has: its partitions, and the values that it got, in order. */
export interface MemberState {
  readonly assignment: readonly number[];
  readonly values: readonly string[];
}

/** A program that drives a client: how to start it, before the broker's address is added. */
export interface ClientProgram {
  readonly command: string;
  readonly arguments: readonly string[];
}

type Answer = { readonly id: number; readonly result?: unknown; readonly error?: string };

const commandMsMax = 90_000;
const complaintLinesMax = 30;

/**
 * A client of any language, behind a small program that takes commands.
 *
 * One JSON object a line: `{ id, command, arguments }` to the program, `{ id, result }` or `{ id, error }` back,
 * bytes in base64. Commands are the methods here, by their names.
 */
export class ClientDriver implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #complaints: string[] = [];
  #lastId = 0;

  constructor(program: ClientProgram, bootstrapServers: string) {
    this.#child = spawn(program.command, [...program.arguments, bootstrapServers], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdout, stderr, stdin } = this.#child;
    if (stdout) createInterface({ input: stdout }).on("line", (line) => this.#answered(line));
    if (stderr) createInterface({ input: stderr }).on("line", (line) => this.#complained(line));
    // Writing to a program that has ended fails here as well as in its answer that never comes.
    stdin?.on("error", () => undefined);
    this.#closed = new Promise((resolve) => {
      this.#child.once("error", (error) => this.#end(String(error), resolve));
      this.#child.once("close", (code, signal) => this.#end(`ended with ${signal ?? code}`, resolve));
    });
  }

  /** The last that the program wrote to its stderr. */
  get complaints(): string {
    return this.#complaints.join("\n");
  }

  async version(): Promise<string> {
    return (await this.#call("version", {})) as string;
  }

  async createTopic(
    topic: string,
    { partitions = 1, config = {} }: { partitions?: number; config?: Readonly<Record<string, string>> } = {},
  ): Promise<void> {
    await this.#call("createTopic", { topic, partitions, config });
  }

  async topics(): Promise<readonly string[]> {
    return (await this.#call("topics", {})) as string[];
  }

  async partitionCount(topic: string): Promise<number> {
    return (await this.#call("partitionCount", { topic })) as number;
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#call("deleteTopic", { topic });
  }

  async topicConfig(topic: string, name: string): Promise<string> {
    return (await this.#call("topicConfig", { topic, name })) as string;
  }

  async setTopicConfig(topic: string, config: { name: string; value: string }): Promise<void> {
    await this.#call("setTopicConfig", { topic, ...config });
  }

  /** Produces in one go with acks=all; answers each record's offset, -1 from a client that does not tell it. */
  async produce(
    topic: string,
    options: { compression?: string; idempotent?: boolean; records: readonly DrivenRecord[] },
  ): Promise<readonly number[]> {
    const { compression = "none", idempotent = false } = options;
    const records = options.records.map(toJson);
    return (await this.#call("produce", { topic, compression, idempotent, records })) as number[];
  }

  /** The offset of the first record that is not older; -1 where there is none. */
  async offsetForTime(topic: string, at: { partition: number; timestampMs: number }): Promise<number> {
    return (await this.#call("offsetForTime", { topic, ...at })) as number;
  }

  /** Reads one partition by manual assignment. */
  async read(
    topic: string,
    from: { partition: number; offset: number; count: number },
  ): Promise<readonly ReadRecord[]> {
    const records = (await this.#call("read", { topic, ...from })) as JsonRecord[];
    return records.map(fromJson);
  }

  /** Adds a member to a group, which reads from the earliest record on where nothing is committed. */
  async join(member: string, { groupId, topic }: { groupId: string; topic: string }): Promise<void> {
    await this.#call("join", { member, groupId, topic });
  }

  async member(member: string): Promise<MemberState> {
    return (await this.#call("member", { member })) as MemberState;
  }

  /** Makes a member commit and leave; answers all that it got. */
  async leave(member: string): Promise<MemberState> {
    return (await this.#call("leave", { member })) as MemberState;
  }

  /** Begins to produce "0", "1", "2" and so on to partition 0, with acks=all. */
  async startStream(stream: string, options: { topic: string; idempotent: boolean }): Promise<void> {
    await this.#call("startStream", { stream, ...options });
  }

  /** The values that were acknowledged so far. */
  async acknowledged(stream: string): Promise<readonly string[]> {
    return (await this.#call("acknowledged", { stream })) as string[];
  }

  /** Ends a stream when all that was sent is acknowledged; answers what was. */
  async stopStream(stream: string): Promise<readonly string[]> {
    return (await this.#call("stopStream", { stream })) as string[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }

  async #call(command: string, arguments_: Readonly<Record<string, unknown>>): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#child.stdin?.write(`${JSON.stringify({ id, command, arguments: arguments_ })}\n`);
    const { error, result } = await within(`answer to "${command}"`, answered, commandMsMax).catch((late) => {
      throw new Error(`${String(late)}\n${this.complaints}`, { cause: late });
    });
    if (error !== undefined) throw new Error(`Cannot do "${command}" with the client: ${error}`);
    return result;
  }

  #answered(line: string): void {
    const answer = JSON.parse(line) as Answer;
    this.#waiting.get(answer.id)?.(answer);
    this.#waiting.delete(answer.id);
  }

  #complained(line: string): void {
    this.#complaints.push(line);
    if (this.#complaints.length > complaintLinesMax) this.#complaints.shift();
  }

  #end(why: string, resolve: () => void): void {
    for (const [id, answer] of this.#waiting) {
      answer({ id, error: `the program ${why}\n${this.complaints}` });
    }
    this.#waiting.clear();
    resolve();
  }
}

interface JsonRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
  readonly timestampMs: number;
}

const toBase64 = (bytes: Buffer | null): string | null => bytes?.toString("base64") ?? null;
const fromBase64 = (text: string | null): Buffer | null =>
  text === null ? null : Buffer.from(text, "base64");

function toJson(record: DrivenRecord): Omit<JsonRecord, "offset"> {
  return {
    ...record,
    key: toBase64(record.key),
    value: toBase64(record.value),
    headers: record.headers.map(([name, value]) => [name, toBase64(value)]),
  };
}

function fromJson(record: JsonRecord): ReadRecord {
  return {
    ...record,
    key: fromBase64(record.key),
    value: fromBase64(record.value),
    headers: record.headers.map(([name, value]) => [name, fromBase64(value)]),
  };
}
