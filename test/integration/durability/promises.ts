import { setTimeout as sleep } from "node:timers/promises";
import type { Kafka } from "kafkajs";
import type { Ledger } from "./numbered-workload.ts";

/** A record as the broker returned it: who wrote it and its number. */
export interface FoundRecord {
  readonly writer: string;
  readonly number: number;
}

/** What a writer promised to be checked against: its ledger of each partition. */
export interface Promised {
  readonly name: string;
  /** True for a writer that repeated each send until it was answered: all that it took up must be there. */
  readonly isComplete: boolean;
  readonly ledgers: readonly Ledger[];
}

/**
 * What is wrong with what was found, one sentence each: an acknowledged record that is not there, one that is there
 * twice or before an earlier one, one that was never sent.
 */
export function brokenPromises(promised: Promised, found: readonly (readonly FoundRecord[])[]): string[] {
  return promised.ledgers.flatMap((ledger, partition) => {
    const numbers = (found[partition] ?? [])
      .filter(({ writer }) => writer === promised.name)
      .map(({ number }) => number);
    const place = `${promised.name} in partition ${partition}`;
    const present = new Set(numbers);
    const due = promised.isComplete
      ? Array.from({ length: ledger.next }, (_, number) => number)
      : ledger.acknowledged;
    const lost = due.filter((number) => !present.has(number));
    const disordered = numbers.filter((number, index) => index > 0 && number <= (numbers[index - 1] ?? -1));
    const unsent = numbers.filter((number) => number >= ledger.next);
    return [
      ...describe(`${place}: lost`, lost),
      ...describe(`${place}: twice or out of order`, disordered),
      ...describe(`${place}: never sent`, unsent),
    ];
  });
}

function describe(what: string, numbers: readonly number[]): string[] {
  if (numbers.length === 0) return [];
  return [`${what}: ${numbers.length} records, first ${numbers.slice(0, 10).join(", ")}`];
}

/** All values of a topic by partition, in order; checks that offsets leave no gap up to the partition's end. */
export async function readAllValues(kafka: Kafka, topic: string): Promise<string[][]> {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic).finally(() => admin.disconnect());
  const ends = new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
  const values: string[][] = offsets.map(() => []);
  const missing = () =>
    offsets.some(({ partition }) => (values[partition]?.length ?? 0) < (ends.get(partition) ?? 0));
  const consumer = kafka.consumer({
    groupId: `${topic}-check`,
    maxWaitTimeInMs: 50,
    maxBytesPerPartition: 8 << 20,
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    let failure: Error | undefined;
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const read = values[batch.partition] ?? [];
        for (const message of batch.messages) {
          if (Number(message.offset) !== read.length) {
            failure ??= new Error(
              `Offset ${message.offset} of ${batch.partition} follows ${read.length - 1}`,
            );
          }
          read.push(message.value?.toString() ?? "");
        }
      },
    });
    const deadlineMs = performance.now() + 60_000;
    while (missing() && !failure) {
      if (performance.now() > deadlineMs) {
        const have = values.map(({ length }) => length);
        throw new Error(
          `Cannot read "${topic}": ${have.join(", ")} records of ${[...ends.values()].join(", ")}`,
        );
      }
      await sleep(20);
    }
    if (failure) throw failure;
    return values;
  } finally {
    await consumer.disconnect();
  }
}
