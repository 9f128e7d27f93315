import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c } from "#protocol/bytes/crc32c.ts";
import type { Entry } from "#raft/core/entry.ts";
import { decodeNodeFrame, encodeNodeFrame } from "#raft/transport/codec.ts";
import {
  type EncodedFrame,
  FrameError,
  frameHeaderBytes,
  type ReceivedFrame,
} from "#raft/transport/frame.ts";
import { FrameEncoder, ownPieceBytesMin } from "#raft/transport/frame-encoder.ts";
import { FrameReader } from "#raft/transport/frame-reader.ts";
import type { NodeFrame, PassFrame } from "#raft/transport/node-frame.ts";
import { nodeFrame } from "./frame-arbitrary.ts";

const replicas = { from: 1, to: 2 };

function encode(frame: NodeFrame): EncodedFrame {
  return encodeNodeFrame(frame, replicas, new FrameEncoder(crc32c));
}

function receive(bytes: Buffer): ReceivedFrame {
  const frames: ReceivedFrame[] = [];
  const limits = { bodyBytesMax: 64 << 20, envelopeBytesMax: 8 << 20 };
  new FrameReader({ limits, checksum: crc32c, onFrame: (frame) => frames.push(frame) }).push(bytes);
  const [only] = frames;
  if (!only || frames.length > 1) throw new Error(`${frames.length} frames arrived`);
  return only;
}

/** An append of these payloads, one entry each. */
function appendOf(...payloads: readonly Uint8Array[]): PassFrame {
  const entries = payloads.map(
    (payload, at): Entry => ({
      index: at + 8,
      term: 3,
      kind: "data",
      baseOffset: at * 10,
      offsetCount: 10,
      payload,
    }),
  );
  const message = {
    ...({ kind: "append", from: 1, to: 2, term: 3 } as const),
    ...{ previousIndex: 7, previousTerm: 3, commitIndex: 7, entries },
  };
  return { kind: "pass", messages: [{ group: 5, message }] };
}

function payloadsOf(frame: NodeFrame): Uint8Array[] {
  if (frame.kind !== "pass") return [frame.payload];
  return frame.messages.flatMap(({ message }) =>
    message.kind === "append" ? message.entries.map((entry) => entry.payload) : [],
  );
}

describe("a frame between nodes", () => {
  test("arrives as it was sent, whatever is in it", () => {
    fc.assert(
      fc.property(nodeFrame, (frame) => {
        const encoded = encode(frame);
        const bytes = Buffer.concat(encoded.pieces);
        expect(bytes.length).toBe(encoded.sizeBytes);
        expect(decodeNodeFrame(receive(bytes))).toEqual(frame);
      }),
      { numRuns: 300 },
    );
  });

  test("has large payloads as pieces that are not copied", () => {
    const large = Buffer.alloc(ownPieceBytesMin, 1);
    const small = Buffer.alloc(ownPieceBytesMin - 1, 2);
    const { pieces } = encode(appendOf(large, small, large));
    expect(pieces.filter((piece) => piece === large)).toHaveLength(2);
    expect(decodeNodeFrame(receive(Buffer.concat(pieces)))).toEqual(appendOf(large, small, large));
  });

  test("gives views of what was received, but copies of payloads that would pin much more than themselves", () => {
    const frame = receive(Buffer.concat(encode(appendOf(Buffer.alloc(100_000), Buffer.alloc(10))).pieces));
    const [large, small] = payloadsOf(decodeNodeFrame(frame));
    expect(large?.buffer).toBe(frame.tail.buffer);
    expect(small?.buffer).not.toBe(frame.tail.buffer);
  });

  test("is not mixed up with the one whose encoding failed before", () => {
    const encoder = new FrameEncoder(crc32c);
    const broken = appendOf(Buffer.alloc(10));
    const [first] = broken.messages;
    if (!first) throw new Error("no message");
    const messages = [first, { group: 1, message: { ...first.message, term: -1 } }];
    expect(() => encodeNodeFrame({ kind: "pass", messages }, replicas, encoder)).toThrow(RangeError);
    const { pieces } = encodeNodeFrame(broken, replicas, encoder);
    expect(decodeNodeFrame(receive(Buffer.concat(pieces)))).toEqual(broken);
  });

  test("is read in any pieces", () => {
    const frames: NodeFrame[] = [appendOf(Buffer.alloc(500, 1)), { kind: "pass", messages: [] }, appendOf()];
    const bytes = Buffer.concat(frames.flatMap((frame) => encode(frame).pieces));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), (sizes) => {
        const found: NodeFrame[] = [];
        const reader = new FrameReader({
          limits: { bodyBytesMax: 1_000, envelopeBytesMax: 1_000 },
          checksum: crc32c,
          onFrame: (frame) => found.push(decodeNodeFrame(frame)),
        });
        // Every chunk in the same memory, as sockets do it.
        const chunk = Buffer.alloc(200);
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = bytes.copy(chunk, 0, at, at + (sizes[turn % sizes.length] ?? 1));
          reader.push(chunk.subarray(0, size));
          at += size;
        }
        expect(found).toEqual(frames);
      }),
    );
  });
});

describe("a damaged frame", () => {
  const good = Buffer.concat(encode(appendOf(Buffer.alloc(300, 7))).pieces);

  test("is refused whichever bit is wrong", () => {
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Buffer.from(good);
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      // A length that grew waits for more; nothing comes out in any case.
      let error: unknown;
      try {
        decodeNodeFrame(receive(bad));
      } catch (caught) {
        error = caught;
      }
      expect(error, `bit ${bit}`).toBeInstanceOf(Error);
    }
  });

  test("costs no memory for a length that it only announces", () => {
    const header = Buffer.from(good.subarray(0, frameHeaderBytes));
    header.writeUInt32BE(60 << 20, 4);
    const reader = new FrameReader({
      limits: { bodyBytesMax: 64 << 20, envelopeBytesMax: 8 << 20 },
      checksum: crc32c,
      onFrame: () => undefined,
    });
    reader.push(header);
    expect(reader.heldBytes).toBeLessThanOrEqual(256 << 10);
    header.writeUInt32BE(65 << 20, 4);
    expect(() => receive(header)).toThrow(FrameError);
  });

  test.each([
    ["stranger", (bytes: Buffer) => bytes.write("GET / HTTP/1.1\r\n\r\n")],
    ["version", (bytes: Buffer) => bytes.writeUInt8(9, 2)],
    ["unexpected", (bytes: Buffer) => bytes.writeUInt8(200, 3)],
    ["size", (bytes: Buffer) => bytes.writeUInt32BE(2 ** 32 - 1, 4)],
    ["size", (bytes: Buffer) => bytes.writeUInt32BE(10_000, 8)],
    ["checksum", (bytes: Buffer) => bytes.writeUInt8(1, frameHeaderBytes)],
  ] as const)("is named: %s", (code, damage) => {
    const bad = Buffer.from(good);
    damage(bad);
    expect(() => receive(bad)).toThrow(expect.objectContaining({ name: "FrameError", code }));
  });

  test("with an envelope that lies about its payloads is refused", () => {
    const { envelope, tail } = receive(good);
    for (const cut of [tail.subarray(1), Buffer.concat([tail, Buffer.alloc(1)])]) {
      expect(() => decodeNodeFrame({ kind: "pass", envelope, tail: cut })).toThrow(
        expect.objectContaining({ code: "envelope" }),
      );
    }
  });

  test("never brings down the decoder, however its envelope is mutated", () => {
    const mutation = fc.record({ at: fc.nat(), byte: fc.nat(255), drop: fc.boolean() });
    fc.assert(
      fc.property(nodeFrame, fc.array(mutation, { minLength: 1, maxLength: 6 }), (frame, mutations) => {
        const { kind, envelope, tail } = receive(Buffer.concat(encode(frame).pieces));
        let mutated = Buffer.from(envelope);
        for (const { at, byte, drop } of mutations) {
          const position = at % (mutated.length + 1);
          if (drop) mutated = Buffer.concat([mutated.subarray(0, position), mutated.subarray(position + 1)]);
          else
            mutated = Buffer.concat([
              mutated.subarray(0, position),
              Buffer.of(byte),
              mutated.subarray(position + 1),
            ]);
        }
        try {
          decodeNodeFrame({ kind, envelope: mutated, tail });
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("of nothing but chance is refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom("pass", "chunk"), (envelope, kind) => {
        try {
          decodeNodeFrame({ kind, envelope, tail: new Uint8Array(0) });
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
