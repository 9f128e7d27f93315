import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { readBatches } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { readRecords } from "#protocol/records/record.ts";
import { ask } from "../integration/ask.ts";
import { RawConnection } from "../integration/bad-input/raw-connection.ts";
import {
  fetchRequest,
  produceRequest,
  readFetchResponse,
  readProduceResponse,
} from "../integration/bad-input/wire.ts";

const pauseMs = 20;
const decompressedBytesMax = 1 << 20;

/**
 * A client like any other beside the fuzzing: produces numbers with acks=all and fetches each back at once, on one
 * connection that must never be closed, refused or left waiting.
 */
export class Canary {
  /** Long and random, so that no mutation hits it. */
  readonly topic = `canary-${randomBytes(32).toString("hex")}`;
  readonly #bootstrapServers: string;
  readonly #roundMs: number[] = [];
  #produced = 0;
  #isStopped = false;
  #run: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(bootstrapServers: string) {
    this.#bootstrapServers = bootstrapServers;
  }

  /** Rounds of produce and fetch that succeeded. */
  get rounds(): number {
    return this.#produced;
  }

  /** How long rounds took, in ms, at these fractions of them. */
  latencyMs(...fractions: readonly number[]): readonly number[] {
    const sorted = this.#roundMs.toSorted((a, b) => a - b);
    return fractions.map((fraction) => sorted[Math.ceil(fraction * sorted.length) - 1] ?? 0);
  }

  async start(): Promise<void> {
    // Its records are of 1970: retention has to leave them alone.
    const configs = [{ name: "retention.ms", value: "-1" }];
    const topics = [{ name: this.topic, numPartitions: 1, replicationFactor: 1, configs }];
    const request = { topics, timeoutMs: 10_000 };
    const { topics: created } = await ask(this.#bootstrapServers, CreateTopics, { version: 5, request });
    assert.equal(created[0]?.errorCode, 0);
    this.#run = this.#sing().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** @throws Error with what went wrong, if anything ever did */
  check(): void {
    if (this.#failure) throw new Error("Cannot keep the canary alive", { cause: this.#failure });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#run;
    this.check();
  }

  /** Reads everything back: each number once, in order. */
  async verify(): Promise<void> {
    await using connection = await RawConnection.open(this.#bootstrapServers);
    for (let offset = 0; offset < this.#produced; ) {
      const values = await this.#fetch(connection, offset);
      assert.ok(values.length > 0, `nothing at offset ${offset} of ${this.#produced}`);
      for (const value of values) {
        assert.equal(value, String(offset));
        offset += 1;
      }
    }
  }

  async #sing(): Promise<void> {
    await using connection = await RawConnection.open(this.#bootstrapServers);
    while (!this.#isStopped) {
      const startedMs = performance.now();
      const value = String(this.#produced);
      const records = buildBatch({ records: [{ timestampMs: 1, key: null, value: Buffer.from(value) }] });
      connection.write(produceRequest({ topic: this.topic, records }));
      const { errorCode, baseOffset } = readProduceResponse(await connection.response());
      assert.deepEqual([errorCode, baseOffset], [0, BigInt(this.#produced)]);
      assert.deepEqual(await this.#fetch(connection, this.#produced), [value]);
      this.#produced += 1;
      this.#roundMs.push(performance.now() - startedMs);
      await sleep(pauseMs);
    }
  }

  async #fetch(connection: RawConnection, offset: number): Promise<string[]> {
    connection.write(fetchRequest({ topic: this.topic, offset: BigInt(offset), waitMsMax: 1_000 }));
    const { errorCode, records } = readFetchResponse(await connection.response());
    assert.equal(errorCode, 0);
    return Array.from(readBatches(records)).flatMap(({ batch }) =>
      Array.from(readRecords(batch, { decompressedBytesMax }), ({ value }) =>
        Buffer.from(value ?? "").toString(),
      ),
    );
  }
}
