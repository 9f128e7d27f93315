import { DeleteRecords } from "#protocol/messages/delete-records.ts";
import { FindCoordinator } from "#protocol/messages/find-coordinator.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { OffsetCommit } from "#protocol/messages/offset-commit.ts";
import { Produce } from "#protocol/messages/produce.ts";
import { type BatchInput, buildBatch, type RecordInput } from "#protocol/records/batch-builder.ts";
import { waitUntil } from "../../integration/wait-until.ts";
import type { Wire } from "../wire.ts";

/** Topics that are there before all scenarios, for those that only read. */
export const fixtures = {
  /** Three partitions: several batches in 0, one compressed batch in 1, nothing in 2. */
  orders: "fixture-orders",
  /** One partition of ten single records, the first four deleted. */
  trimmed: "fixture-trimmed",
  compacted: "fixture-compacted",
  /** Stamps records itself. */
  stamped: "fixture-stamped",
  /** Takes batches of 200 bytes at most. */
  small: "fixture-small",
  /** A topic that no broker has. */
  unknown: "no-such-topic",
} as const;

/** A topic id that no broker has. */
export const unknownTopicId = "ZmFsc2UtdG9waWMtaWQtMQ";

/** Far from the present, so that the run's own times cannot be mistaken for it. */
export const baseTimeMs = 1_600_000_000_000;

export function record(value: string | null, over: Partial<RecordInput> = {}): RecordInput {
  return { timestampMs: baseTimeMs, key: null, value: value === null ? null : Buffer.from(value), ...over };
}

export function batch(values: readonly string[], over: Partial<BatchInput> = {}): Uint8Array {
  const records = values.map((value, at) => record(value, { timestampMs: baseTimeMs + at }));
  return buildBatch({ records, ...over });
}

/** Makes all fixtures on one broker. */
export async function makeFixtures(wire: Wire): Promise<void> {
  await wire.makeTopic(fixtures.orders, { partitions: 3, configs: {} });
  await wire.makeTopic(fixtures.trimmed, { partitions: 1, configs: {} });
  await wire.makeTopic(fixtures.compacted, { partitions: 1, configs: { "cleanup.policy": "compact" } });
  await wire.makeTopic(fixtures.stamped, {
    partitions: 1,
    configs: { "message.timestamp.type": "LogAppendTime" },
  });
  await wire.makeTopic(fixtures.small, { partitions: 1, configs: { "max.message.bytes": "200" } });

  await append(wire, fixtures.orders, 0, batch(["a", "b", "c"]));
  // Out of order inside a batch, and later than what follows.
  await append(
    wire,
    fixtures.orders,
    0,
    buildBatch({
      compression: "gzip",
      records: [
        record("d", { timestampMs: baseTimeMs + 1_000 }),
        record("e", { timestampMs: baseTimeMs + 5_000 }),
        record("f", { timestampMs: baseTimeMs + 2_000 }),
      ],
    }),
  );
  await append(
    wire,
    fixtures.orders,
    0,
    buildBatch({
      records: [
        record(null, { key: Buffer.from("key"), timestampMs: baseTimeMs + 3_000 }),
        record("h", {
          headers: [
            { key: "header", value: null },
            { key: "", value: Buffer.from("x") },
          ],
        }),
      ],
    }),
  );
  await append(wire, fixtures.orders, 1, batch(["x", "y"], { compression: "lz4" }));
  for (let index = 0; index < 10; index++) {
    await append(wire, fixtures.trimmed, 0, buildBatch({ records: [record(`${index}`)] }));
  }
  await wire.ask(DeleteRecords, {
    topics: [{ name: fixtures.trimmed, partitions: [{ partitionIndex: 0, offset: 4 }] }],
    timeoutMs: 10_000,
  });
  await append(wire, fixtures.stamped, 0, batch(["s"]));
  await untilCoordinated(wire);
  await waitUntil("producer ids", async () => {
    const answer = await wire.ask(InitProducerId, { transactionalId: null, transactionTimeoutMs: 1 }, 4);
    return answer.errorCode === 0;
  });
}

/** Appends a batch and waits for its acknowledgement. */
export async function append(wire: Wire, topic: string, index: number, records: Uint8Array): Promise<void> {
  const answer = await wire.ask(
    Produce,
    {
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: topic, partitionData: [{ index, records: [records] }] }],
    },
    12,
  );
  const errorCode = answer.responses[0]?.partitionResponses[0]?.errorCode;
  if (errorCode !== 0) throw new Error(`Cannot append to "${topic}": error ${errorCode}`);
}

/** Kafka makes the topic of offsets on the first wish and says so only to those who ask again. */
async function untilCoordinated(wire: Wire): Promise<void> {
  await waitUntil("the coordinator of groups", async () => {
    const { coordinators } = await wire.ask(FindCoordinator, { keyType: 0, coordinatorKeys: ["fixture"] });
    if (coordinators[0]?.errorCode !== 0) return false;
    const partitions = [{ partitionIndex: 0, committedOffset: 0, committedMetadata: "" }];
    const commit = { groupId: "fixture", topics: [{ name: fixtures.orders, partitions }] };
    const answer = await wire.ask(OffsetCommit, commit, 9);
    return answer.topics[0]?.partitions[0]?.errorCode === 0;
  });
}
