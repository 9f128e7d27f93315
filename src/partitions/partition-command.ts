import { strict as assert } from "node:assert";

/*
 * Payload of a command entry of a partition's group, little-endian:
 *
 * | at | size | field                      |
 * |----|------|----------------------------|
 * | 0  | u8   | kind, 1: trim              |
 * | 1  | f64  | trim: the log's new start  |
 */

/** What a partition's group agrees on besides batches. trim: nothing below the offset is there any more. */
export interface PartitionCommand {
  readonly kind: "trim";
  readonly startOffset: number;
}

const trimKind = 1;
const trimBytes = 9;

export function encodePartitionCommand({ startOffset }: PartitionCommand): Uint8Array {
  assert(Number.isSafeInteger(startOffset) && startOffset >= 0);
  const payload = new Uint8Array(trimBytes);
  payload[0] = trimKind;
  new DataView(payload.buffer).setFloat64(1, startOffset, true);
  return payload;
}

/** A kind that is not known is of a newer version: replicas that skipped it would not be alike any more. */
export function decodePartitionCommand(payload: Uint8Array): PartitionCommand {
  assert(payload[0] === trimKind && payload.length >= trimBytes);
  const startOffset = new DataView(payload.buffer, payload.byteOffset).getFloat64(1, true);
  assert(Number.isSafeInteger(startOffset));
  return { kind: "trim", startOffset };
}
