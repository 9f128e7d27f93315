import { expect, test } from "vitest";
import { ProtocolError } from "#protocol/bytes/protocol-error.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import { buildTransactionMarker, readControlBatch } from "#protocol/records/control-batch.ts";
import { javaBatches, javaMarkers } from "./java-batches.ts";

const producer = { producerId: 7000, producerEpoch: 3 };
const markers = [
  { outcome: "commit", ...producer, coordinatorEpoch: 12, timestampMs: 1_700_000_000_000, baseOffset: 55 },
  { outcome: "abort", ...producer, coordinatorEpoch: 13, timestampMs: 1_700_000_000_001, baseOffset: 56 },
] as const;

test.each(markers)("the marker of a(n) $outcome is byte for byte what Java writes (trap 57)", (marker) => {
  const built = buildTransactionMarker({ ...marker, leaderEpoch: 9 });
  expect(Buffer.from(built).toString("hex")).toBe(javaMarkers[marker.outcome].toString("hex"));
});

test.each(markers)("the marker of a(n) $outcome from Java is read", ({ baseOffset, ...marker }) => {
  expect(readControlBatch(javaMarkers[marker.outcome])).toEqual({ kind: "transactionMarker", ...marker });
});

const control = (key: Buffer | null, value: Buffer | null): Uint8Array =>
  buildBatch({ isControl: true, records: [{ timestampMs: 1, key, value }] });

test("control records of other types are told apart", () => {
  expect(readControlBatch(control(Buffer.from("00000002", "hex"), null))).toEqual({ kind: "other", type: 2 });
});

test("a batch of data is no control batch", () => {
  expect(readControlBatch(javaBatches.none)).toBeUndefined();
});

test.each([
  { what: "no key", batch: control(null, null) },
  { what: "half a key", batch: control(Buffer.alloc(2), Buffer.alloc(6)) },
  { what: "no value", batch: control(Buffer.alloc(4), null) },
])("a marker with $what is malformed", ({ batch }) => {
  expect(() => readControlBatch(batch)).toThrow(ProtocolError);
});
