import protobuf from "protobufjs";
import type { EpochStart } from "#storage/log/epoch-index.ts";
import type { Partition } from "./partition.ts";
import { decodeProducerSnapshot, encodeProducerSnapshot } from "./producer-snapshot.ts";
import type { ProducerStore } from "./producer-store.ts";
import type { ProducerEntry } from "./producer-table.ts";

const type = protobuf
  .parse(`
syntax = "proto3";
message PartitionStart { uint64 offset = 1; repeated Epoch epochs = 2; bytes producers = 3; }
message Epoch { uint32 epoch = 1; uint64 start_offset = 2; }
`)
  .root.lookupType("PartitionStart");

/** All that the batches which a log has lost would still say: what a replica begins with that has none of the rest. */
export interface PartitionStart {
  /** Where a batch begins, or the log ends. */
  readonly offset: number;
  readonly epochs: readonly EpochStart[];
  /** As of the offset. */
  readonly producers: readonly ProducerEntry[];
}

/** Where a partition's log begins now. @throws what reading the log throws */
export async function partitionStart(partition: Partition): Promise<PartitionStart> {
  const { log, producers, logStartOffset, highWatermark } = partition;
  const first = await log.read({
    ...{ offset: logStartOffset, upToOffset: highWatermark },
    ...{ maxBytes: 0, atLeastOneBatch: true },
  });
  // It may be in the middle of a batch, and a log is made of whole ones.
  const offset = first.batchCount > 0 ? first.firstOffset : highWatermark;
  const epoch = log.epochAt(Math.max(offset, logStartOffset));
  return {
    offset,
    epochs: epoch < 0 ? [] : [{ epoch, startOffset: offset }],
    producers: producers.entriesUpTo(offset),
  };
}

/** Lets a replica begin where its leader's log does; what it had is all below. @throws DiskError, LogClosedError */
export async function restartPartition(
  partition: Partition,
  start: PartitionStart,
  store: ProducerStore,
): Promise<void> {
  const { offset, epochs, producers } = start;
  await store.replace(partition, { offset, producers }, () => partition.log.restartAt(offset, epochs));
}

export function encodePartitionStart({ offset, epochs, producers }: PartitionStart): Uint8Array {
  const encoded = encodeProducerSnapshot({ offset, producers });
  return type.encode(type.fromObject({ offset, epochs, producers: encoded })).finish();
}

export function decodePartitionStart(payload: Uint8Array): PartitionStart {
  const asObject = { longs: Number, defaults: true, arrays: true } as const;
  const { offset, epochs, producers } = type.toObject(type.decode(payload), asObject) as {
    offset: number;
    epochs: EpochStart[];
    producers: Uint8Array;
  };
  return { offset, epochs, producers: decodeProducerSnapshot(producers).producers };
}
