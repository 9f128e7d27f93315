import { createRequire } from "node:module";
import { Bench } from "tinybench";
import { isIntact, readBatchHeader, stampBatch } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { readRecords } from "#protocol/records/record.ts";
import { validateBatch } from "#protocol/records/validate-batch.ts";
import { validateRecords } from "#protocol/records/validate-records.ts";

const require = createRequire(import.meta.url);
const kafkajs = {
  batch: require("kafkajs/src/protocol/recordBatch/v0").RecordBatch as (
    batch: object,
  ) => Promise<{ buffer: Buffer }>,
  record: require("kafkajs/src/protocol/recordBatch/record/v0") as (record: object) => object,
  long: require("kafkajs/src/utils/long") as { fromValue(value: number): object },
};

const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
const limits = { sizeBytesMax: 2 ** 30, isZstdAllowed: true };
const rules = { decompressedBytesMax: 2 ** 30, isKeyRequired: false };

/** What a batch costs on its way in (validate, stamp), when looked into, and when built; kafkajs's builder beside ours. */
export async function run(): Promise<void> {
  for (const recordCount of [1, 100, 10_000]) {
    const records = Array.from({ length: recordCount }, (_, index) => ({
      timestampMs: 1_700_000_000_000 + index,
      key: Buffer.from(`key-${index}`),
      value: Buffer.from(
        `{"id":${index},"name":"millrace","tags":["a","b"],"total":${index * 7}}`.padEnd(100, "x"),
      ),
    }));
    const batches = new Map(codecs.map((compression) => [compression, buildBatch({ compression, records })]));
    const bench = new Bench({ time: 100, warmupTime: 30 });
    for (const [compression, batch] of batches) {
      bench.add(`${compression}: validate and stamp`, () => {
        validateBatch(batch, limits);
        stampBatch(batch, 0, { baseOffset: 0, leaderEpoch: 5 });
      });
      bench.add(`${compression}: validate records`, () => void validateRecords(batch, rules));
      bench.add(`${compression}: build`, () => void buildBatch({ compression, records }));
    }
    const plain = batches.get("none") ?? new Uint8Array();
    bench.add("none: is intact", () => void isIntact(plain, 0, readBatchHeader(plain, 0)));
    bench.add("none: read records", () => {
      for (const _ of readRecords(plain, rules));
    });
    bench.add("none: build with kafkajs", async () => void (await buildWithKafkajs(records)));
    await bench.run();
    console.log(`\n${recordCount} records of 100 bytes (${plain.length} bytes uncompressed)`);
    console.table(bench.tasks.map((task) => row(task, plain.length, recordCount)));
  }
}

async function buildWithKafkajs(records: readonly { timestampMs: number; key: Buffer; value: Buffer }[]) {
  const first = records[0]?.timestampMs ?? 0;
  return await kafkajs.batch({
    firstTimestamp: kafkajs.long.fromValue(first),
    maxTimestamp: kafkajs.long.fromValue(records.at(-1)?.timestampMs ?? 0),
    lastOffsetDelta: records.length - 1,
    records: records.map(({ timestampMs, key, value }, offsetDelta) =>
      kafkajs.record({ offsetDelta, timestampDelta: timestampMs - first, key, value }),
    ),
  });
}

function row({ name, result }: Bench["tasks"][number], sizeBytes: number, recordCount: number) {
  const perSecond = result.state === "completed" ? result.throughput.mean : 0;
  return {
    task: name,
    "batches/s": Math.round(perSecond),
    "records/s": Math.round(perSecond * recordCount),
    "GB/s uncompressed": ((perSecond * sizeBytes) / 1e9).toFixed(2),
  };
}
