import { expect, test } from "vitest";
import { ConsumerProtocolSubscription } from "#protocol/messages/internal/consumer-protocol.ts";
import { EndTxnMarker } from "#protocol/messages/internal/end-txn-marker.ts";
import { GroupMetadataKey } from "#protocol/messages/internal/group-metadata-record.ts";
import { OffsetCommitKey, OffsetCommitValue } from "#protocol/messages/internal/offset-commit-record.ts";
import {
  decodeKey,
  decodeVersioned,
  encodeKey,
  encodeVersioned,
  readRecordType,
} from "#protocol/schema/message.ts";

const key = { group: "g", topic: "t", partition: 3 };

test("a coordinator's key starts with its record type", () => {
  const bytes = encodeKey(OffsetCommitKey, key);
  expect(Buffer.from(bytes).toString("hex")).toBe("0001" + "000167" + "000174" + "00000003");
  expect(readRecordType(bytes)).toBe(1);
  expect(decodeKey(OffsetCommitKey, bytes)).toEqual(key);
});

test("a key is not read as one of another record type", () => {
  expect(() => decodeKey(GroupMetadataKey, encodeKey(OffsetCommitKey, key))).toThrow(
    "Cannot read GroupMetadataKey: record type is 1",
  );
});

test("a message that is no coordinator's key has none", () => {
  expect(() => encodeKey(EndTxnMarker, {})).toThrow("Cannot use EndTxnMarker as a key: no record type");
});

test("a value starts with its version, the newest unless told otherwise", () => {
  const value = { offset: 7, leaderEpoch: 2, metadata: "m", commitTimestamp: 5 };
  const newest = encodeVersioned(OffsetCommitValue, value);
  expect(newest[1]).toBe(4);
  expect(decodeVersioned(OffsetCommitValue, newest)).toMatchObject(value);
  expect(decodeVersioned(OffsetCommitValue, encodeVersioned(OffsetCommitValue, value, 3))).toMatchObject(
    value,
  );
});

test("a version of tomorrow is refused, except where it can only append", () => {
  const value = Buffer.from(encodeVersioned(OffsetCommitValue, { offset: 7 }));
  value.writeInt16BE(9);
  expect(() => decodeVersioned(OffsetCommitValue, value)).toThrow("Cannot use OffsetCommitValue v9");

  const subscription = Buffer.from(encodeVersioned(ConsumerProtocolSubscription, { topics: ["t"] }));
  subscription.writeInt16BE(9);
  const appended = Buffer.concat([subscription, Buffer.of(1, 2, 3)]);
  expect(decodeVersioned(ConsumerProtocolSubscription, appended).topics).toEqual(["t"]);
});
