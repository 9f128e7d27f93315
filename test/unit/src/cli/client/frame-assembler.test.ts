import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAddress } from "#src/cli/client/address.ts";
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

test.each([
  ["localhost", { host: "localhost", port: 9092 }],
  ["10.0.0.1:19092", { host: "10.0.0.1", port: 19_092 }],
  ["[::1]:9093", { host: "::1", port: 9093 }],
  [" broker-1.example.org:1 ", { host: "broker-1.example.org", port: 1 }],
  ["", undefined],
  ["a:b", undefined],
  ["a:0", undefined],
  ["a:65536", undefined],
  ["http://a:1", undefined],
  ["a b", undefined],
])("%j as an address", (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});
