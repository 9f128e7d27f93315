import fc from "fast-check";
import { expect, test } from "vitest";
import { ForeignBytesError, FrameAssembler } from "#src/cli/client/frame-assembler.ts";

test("frames come out whole, however the stream was cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 4, maxLength: 50 })),
      fc.array(fc.integer({ min: 1, max: 40 })),
      (payloads, cuts) => {
        const stream = Buffer.concat(
          payloads.map((payload) => {
            const size = Buffer.alloc(4);
            size.writeInt32BE(payload.length);
            return Buffer.concat([size, payload]);
          }),
        );
        const assembler = new FrameAssembler();
        const frames: Buffer[] = [];
        let start = 0;
        for (const cut of cuts) {
          frames.push(...assembler.push(stream.subarray(start, start + cut)));
          start += cut;
        }
        frames.push(...assembler.push(stream.subarray(start)));
        expect(frames).toEqual(payloads.map((payload) => Buffer.from(payload)));
      },
    ),
  );
});

test.each(["HTTP", "\u0015\u0003\u0003\u0000", "\u0000\u0000\u0000\u0000"])(
  "%j is no frame's beginning",
  (text) => {
    expect(() => new FrameAssembler().push(Buffer.from(text, "latin1"))).toThrow(ForeignBytesError);
  },
);
