import { describe, expect, test } from "vitest";
import { Reader } from "#protocol/bytes/reader.ts";
import {
  decodeRequestHeader,
  decodeResponseFrame,
  encodeRequestFrame,
  encodeResponseFrame,
  requestHeaderVersion,
  responseHeaderVersion,
} from "#protocol/frame.ts";
import { ApiVersions } from "#protocol/messages/api-versions.ts";
import { Heartbeat } from "#protocol/messages/heartbeat.ts";
import { OffsetDelete } from "#protocol/messages/offset-delete.ts";

function headerOf(hex: string) {
  const reader = new Reader(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  return { ...decodeRequestHeader(reader), remainingBytes: reader.remainingBytes };
}

test("header versions follow flexibility, but ApiVersions answers with the oldest for ever", () => {
  expect([3, 4].map((version) => requestHeaderVersion(Heartbeat, version))).toEqual([1, 2]);
  expect([3, 4].map((version) => responseHeaderVersion(Heartbeat, version))).toEqual([0, 1]);
  expect([2, 3].map((version) => requestHeaderVersion(ApiVersions, version))).toEqual([1, 2]);
  expect([2, 3].map((version) => responseHeaderVersion(ApiVersions, version))).toEqual([0, 0]);
  expect(requestHeaderVersion(OffsetDelete, 0)).toBe(1);
});

describe("a request's header", () => {
  test("may leave the client unnamed", () => {
    expect(headerOf("000c 0003 00000007 ffff")).toMatchObject({ clientId: null, remainingBytes: 0 });
    expect(headerOf("000c 0003 00000007 0000")).toMatchObject({ clientId: "", remainingBytes: 0 });
  });

  test("keeps the client id in its old form, and its unknown tags are skipped", () => {
    expect(headerOf("000c 0004 00000007 0001 61 01 05 02 abcd ee")).toEqual({
      apiKey: 12,
      apiVersion: 4,
      correlationId: 7,
      clientId: "a",
      remainingBytes: 1,
    });
  });

  test("of a version that does not exist is read like the newest, to be refused with its correlation id", () => {
    expect(headerOf("0012 0063 00000007 0001 61 00")).toMatchObject({
      apiVersion: 99,
      correlationId: 7,
      clientId: "a",
    });
    expect(headerOf("0012 ffff 00000007 0001 61")).toMatchObject({ apiVersion: -1, correlationId: 7 });
  });

  test("of an unknown API is read as far as all headers are alike", () => {
    expect(headerOf("7fff 0000 00000007 0001 61")).toMatchObject({
      apiKey: 0x7fff,
      correlationId: 7,
      clientId: null,
    });
  });

  test("is refused when it is cut", () => {
    for (const hex of ["", "000c", "000c 0003 0000", "000c 0003 00000007 0005 61", "7fff 0000"]) {
      expect(() => headerOf(hex)).toThrow(expect.objectContaining({ code: "truncated" }));
    }
  });
});

test("frames go there and back in every version", () => {
  for (let version = 0; version <= 4; version++) {
    const request = encodeRequestFrame(
      { groupId: "g" },
      { api: Heartbeat, version, correlationId: 9, clientId: null },
    );
    const reader = new Reader(request);
    expect(reader.int32()).toBe(request.length - 4);
    expect(decodeRequestHeader(reader)).toMatchObject({ apiKey: 12, apiVersion: version, correlationId: 9 });
    expect(Heartbeat.request.decode(reader, version).groupId).toBe("g");

    const pieces = encodeResponseFrame({ errorCode: 27 }, { api: Heartbeat, version, correlationId: 9 });
    const frame = Buffer.concat(pieces);
    expect(frame.readInt32BE()).toBe(frame.length - 4);
    const decoded = decodeResponseFrame(frame.subarray(4), { api: Heartbeat, version });
    expect(decoded).toEqual({ correlationId: 9, response: { throttleTimeMs: 0, errorCode: 27 } });
  }
});

test("a response with bytes left over is refused", () => {
  const pieces = encodeResponseFrame({ errorCode: 0 }, { api: Heartbeat, version: 0, correlationId: 9 });
  const frame = Buffer.concat([...pieces, Buffer.of(0)]).subarray(4);
  expect(() => decodeResponseFrame(frame, { api: Heartbeat, version: 0 })).toThrow("1 bytes left over");
});
