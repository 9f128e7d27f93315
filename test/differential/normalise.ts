import { attributesOf, isIntact, readBatches } from "#protocol/records/batch.ts";
import { readRecords } from "#protocol/records/record.ts";
import type { TopicNames } from "./topic-names.ts";
import type { Exchange } from "./wire.ts";

/** What tells one broker from another without being a difference. */
export interface BrokerFacts {
  readonly port: number;
  readonly clusterId: string;
  /** The data directory. */
  readonly logDirectory: string;
  /** What the leader of a fresh partition counts from. */
  readonly firstEpoch: number;
  readonly topics: TopicNames;
}

const uuidPattern = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[A-Za-z0-9_-]{22}$/;
/** What is nearer to the present than this was stamped during the run. */
const presentMs = 3_600_000;

/** Puts names in the place of ids, times and ports, so that what is left has to be equal. */
export function normalised(exchanges: readonly Exchange[], facts: BrokerFacts, nowMs: number): unknown {
  const normaliser = new Normaliser(facts, nowMs);
  return exchanges.map(({ step, outcome }) => ({
    step,
    ...(normaliser.of("outcome", outcome) as Record<string, unknown>),
  }));
}

class Normaliser {
  readonly #facts: BrokerFacts;
  readonly #nowMs: number;
  readonly #producers = new Map<number, string>();

  constructor(facts: BrokerFacts, nowMs: number) {
    this.#facts = facts;
    this.#nowMs = nowMs;
  }

  of(key: string, value: unknown): unknown {
    if (value instanceof Uint8Array) return key === "records" ? this.#records(value) : textOf(value);
    if (Array.isArray(value)) return value.map((element) => this.of(key, element));
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.of(name, inner)]));
    }
    if (typeof value === "number") return this.#number(key, value);
    return typeof value === "string" ? this.#text(key, value) : value;
  }

  #number(key: string, value: number): unknown {
    if ((key === "usableBytes" || key === "totalBytes") && value > 0) return "bytes";
    if (key === "port" && value === this.#facts.port) return "port";
    if (key === "leaderEpoch" && value >= this.#facts.firstEpoch) return value - this.#facts.firstEpoch;
    if (key === "producerId" && value >= 0) return this.#producer(value);
    if (/timestamp|time/i.test(key) && Math.abs(value - this.#nowMs) < presentMs) return "now";
    return value;
  }

  #text(key: string, value: string): unknown {
    // Whether there is a message is compared, its words are each broker's own.
    if (/message$/i.test(key)) return value === "" ? "" : "text";
    if (key === "documentation") return "text";
    if (key === "topicId") return this.#facts.topics.describe(value);
    if (value === this.#facts.clusterId) return "cluster id";
    if (key === "memberId" || key === "leader") return value.replace(uuidPattern, "uuid");
    return value
      .replaceAll(this.#facts.logDirectory, "log directory")
      .replaceAll(String(this.#facts.port), "port")
      .replaceAll(String(this.#facts.port + 1), "controller port");
  }

  #producer(id: number): string {
    const known = this.#producers.get(id) ?? `producer ${this.#producers.size + 1}`;
    this.#producers.set(id, known);
    return known;
  }

  /** Batches by their headers and records; a cut last one is allowed to anybody. */
  #records(bytes: Uint8Array): unknown {
    return [...readBatches(bytes)].map(({ batch, header }) => ({
      ...(this.of("batch", { ...header, crc: 0, attributes: 0 }) as Record<string, unknown>),
      ...attributesOf(header),
      isIntact: isIntact(batch, 0, header),
      records: attributesOf(header).isControl ? "control" : this.of("record", recordTexts(batch)),
    }));
  }
}

function recordTexts(batch: Uint8Array): unknown {
  try {
    return recordsOf(batch);
  } catch (error) {
    // Stored though nobody can read them.
    return error instanceof Error ? error.name : "unreadable";
  }
}

function recordsOf(batch: Uint8Array): unknown {
  return [...readRecords(batch, { decompressedBytesMax: 16 << 20 })].map(
    ({ key, value, timestampMs, headers }) => ({
      key: key && textOf(key),
      value: value && textOf(value),
      timestampMs,
      headers: headers.map((header) => `${header.key}=${header.value && textOf(header.value)}`).join(),
    }),
  );
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
