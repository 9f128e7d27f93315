import protobuf from "protobufjs";
import type { ProducerEntry } from "./producer-table.ts";

const schema = `
syntax = "proto3";
message ProducerSnapshot { uint64 offset = 1; repeated Producer producers = 2; }
message Producer { uint64 producer_id = 1; uint32 producer_epoch = 2; uint64 last_append_ms = 3; repeated Batch batches = 4; }
message Batch { uint32 base_sequence = 1; uint32 last_sequence = 2; uint64 base_offset = 3; uint64 next_offset = 4; sint64 max_timestamp_ms = 5; }
`;

const type = protobuf.parse(schema).root.lookupType("ProducerSnapshot");

/** A partition's producers as they stood when the log ended at `offset`. */
export interface ProducerSnapshot {
  readonly offset: number;
  readonly producers: readonly ProducerEntry[];
}

export function encodeProducerSnapshot(snapshot: ProducerSnapshot): Uint8Array {
  return type.encode(type.fromObject(snapshot)).finish();
}

export function decodeProducerSnapshot(payload: Uint8Array): ProducerSnapshot {
  return type.toObject(type.decode(payload), {
    longs: Number,
    defaults: true,
    arrays: true,
  }) as ProducerSnapshot;
}
