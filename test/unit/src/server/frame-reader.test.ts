import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FrameError, FrameReader } from "#src/server/frame-reader.ts";
import { FrameSlabs } from "#src/server/frame-slabs.ts";
import { framed } from "../runtime/fake-network.ts";

function collect(sizeBytesMax = 1 << 20) {
  const frames: string[] = [];
  const reader = new FrameReader({
    sizeBytesMax,
    slabs: new FrameSlabs(),
    isSlabbed: (frame) => frame.length % 2 === 0,
    onFrame: (frame) => frames.push(frame.toString("latin1")),
  });
  return { frames, reader };
}

test("frames come out whole however the stream is cut", () =>
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary-ascii", maxLength: 300 })),
      fc.array(fc.integer({ min: 1, max: 40 })),
      (texts, cuts) => {
        const stream = Buffer.concat(texts.map((text) => framed(text)));
        const { frames, reader } = collect();
        for (let at = 0, cut = 0; at < stream.length; cut++) {
          const size = cuts[cut % Math.max(1, cuts.length)] ?? stream.length;
          reader.push(stream.subarray(at, at + size));
          at += size;
        }
        expect(frames).toEqual(texts);
        expect(reader.partialBytes).toBe(0);
      },
    ),
  ));

test("counts the bytes of a begun frame and forgets them when it is whole", () => {
  const { frames, reader } = collect();
  const bytes = framed("x".repeat(300_000));
  reader.push(bytes.subarray(0, 100_004));
  expect(reader.partialBytes).toBe(100_000);
  reader.push(bytes.subarray(100_004));
  expect([reader.partialBytes, frames[0]?.length]).toEqual([0, 300_000]);
});

test.each([
  ["negative", -1],
  ["larger than socket.request.max.bytes", 1025],
])("refuses a %s size (trap 69)", (_what, size) => {
  const { reader } = collect(1024);
  const length = Buffer.alloc(4);
  length.writeInt32BE(size);
  expect(() => reader.push(length)).toThrow(FrameError);
});

test("an empty frame is a frame: its reader judges it", () => {
  const { frames, reader } = collect();
  reader.push(framed(""));
  expect(frames).toEqual([""]);
});
