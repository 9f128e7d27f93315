import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readBatches } from "#protocol/records/batch.ts";
import { readRecords } from "#protocol/records/record.ts";
import type { ReplicaLog } from "./check-logs.ts";

/** Reads what the segments of a stopped node hold of a partition: committed records alone. */
export async function readReplicaLog(dataDirectory: string, partition: string): Promise<ReplicaLog> {
  const log = new Map<number, string>();
  const directory = join(dataDirectory, partition);
  const segments = (await readdir(directory)).filter((file) => file.endsWith(".log")).toSorted();
  for (const segment of segments) {
    for (const { batch } of readBatches(await readFile(join(directory, segment)))) {
      for (const record of readRecords(batch, { decompressedBytesMax: 0 })) {
        log.set(record.offset, Buffer.from(record.value ?? []).toString());
      }
    }
  }
  return log;
}
