import { existsSync, readdirSync, readFileSync } from "node:fs";

/** A field as Kafka's definition files write it. */
export interface KafkaField {
  readonly name: string;
  readonly type: string;
  readonly versions?: string;
  readonly taggedVersions?: string;
  readonly nullableVersions?: string;
  readonly flexibleVersions?: string;
  readonly tag?: number;
  readonly default?: unknown;
  readonly ignorable?: boolean;
  readonly fields?: readonly KafkaField[];
}

/** A message as Kafka's definition files write it. */
export interface KafkaDefinition {
  readonly name: string;
  readonly type: string;
  readonly apiKey?: number;
  readonly listeners?: readonly string[];
  readonly validVersions: string;
  readonly flexibleVersions: string;
  readonly latestVersionUnstable?: boolean;
  readonly fields: readonly KafkaField[];
  readonly commonStructs?: readonly KafkaField[];
}

const folders = ["clients", "group-coordinator", "transaction-coordinator"];
const root = new URL("../../../../shared/kafka/messages/", import.meta.url);

/** Whether Kafka's definition files are on this machine; tests that need them say so and skip. */
export const hasKafkaDefinitions: boolean = existsSync(root);

/** Kafka's definitions by message name. */
export function kafkaDefinitions(): ReadonlyMap<string, KafkaDefinition> {
  if (!hasKafkaDefinitions) return new Map();
  const files = folders.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root))
      .filter((file) => file.endsWith(".json"))
      .map((file) => new URL(`${folder}/${file}`, root)),
  );
  return new Map(files.map((file) => parse(readFileSync(file, "utf8"))).map((json) => [json.name, json]));
}

/** Whether a range such as "3+", "1-4", "2" or "none" holds a version. */
export function holds(range: string | undefined, version: number): boolean {
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(range ?? "none");
  if (match === null) return false;
  const [, from, open, to] = match;
  const max = open === undefined ? Number(to ?? from) : Number.POSITIVE_INFINITY;
  return Number(from) <= version && version <= max;
}

/** The ends of a range, or undefined for "none". */
export function rangeOf(range: string): readonly [number, number] | undefined {
  const numbers = range.match(/\d+/g)?.map(Number) ?? [];
  const [from, to] = numbers;
  return from === undefined
    ? undefined
    : [from, to ?? (range.endsWith("+") ? Number.POSITIVE_INFINITY : from)];
}

/** The files are JSON with line comments, which never share a line with anything else. */
function parse(text: string): KafkaDefinition {
  return JSON.parse(text.replace(/^\s*\/\/.*$/gm, ""));
}
