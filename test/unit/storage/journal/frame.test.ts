import { crc32c } from "@node-rs/crc32";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JournalEntry } from "#storage/journal/entry.ts";
import {
  type FrameHeader,
  frameHeaderBytes,
  isFrameIntact,
  readFrameHeader,
} from "#storage/journal/frame.ts";
import { readSafeInteger, writeSafeInteger } from "#storage/journal/record.ts";
import { StagedFrame, Staging } from "#storage/journal/staging.ts";
import { testArena } from "./journal-workload.ts";

const checksum = (bytes: Uint8Array, seed?: number) => crc32c(bytes, seed);
const identity = { journalId: 2 ** 52 + 1, fileSequence: 3, frameSequence: 2 ** 40, isState: false };

const safe = fc.maxSafeNat();
const anEntry: fc.Arbitrary<JournalEntry> = fc.record({
  index: safe,
  term: safe,
  kind: fc.constantFrom("data", "command", "noop", "configuration"),
  baseOffset: safe,
  offsetCount: fc.nat(0xffff_ffff),
  payload: fc.uint8Array({ maxLength: 300 }),
});
const aRecord = fc.oneof(
  fc.record({ kind: fc.constant("entry" as const), group: safe, entry: anEntry }),
  fc.record({
    kind: fc.constant("hardState" as const),
    group: safe,
    state: fc.record({ term: safe, votedFor: fc.integer({ min: -1, max: 2 ** 31 - 1 }) }),
  }),
  fc.record({
    kind: fc.constant("floor" as const),
    group: safe,
    floor: fc.record({ index: safe, term: safe }),
  }),
  fc.record({ kind: fc.constant("forget" as const), group: safe }),
);
type AnyRecord = typeof aRecord extends fc.Arbitrary<infer T> ? T : never;

function stage(staging: Staging, record: AnyRecord): void {
  if (record.kind === "entry") staging.addEntry(record.group, record.entry);
  else if (record.kind === "hardState") staging.addHardState(record.group, record.state);
  else if (record.kind === "floor") staging.addFloor(record.group, record.floor);
  else staging.addForget(record.group);
}

function readBack(frame: StagedFrame): AnyRecord[] {
  const cursor = frame.records();
  const found: AnyRecord[] = [];
  while (cursor.next()) {
    const { kind, group, index, term, votedFor } = cursor;
    if (kind === "entry") {
      const { entryKind, baseOffset, offsetCount, payloadPosition, payloadBytes } = cursor;
      const payload = frame.memory.bytes.slice(payloadPosition, payloadPosition + payloadBytes);
      found.push({ kind, group, entry: { index, term, kind: entryKind, baseOffset, offsetCount, payload } });
    } else if (kind === "hardState") found.push({ kind, group, state: { term, votedFor } });
    else if (kind === "floor") found.push({ kind, group, floor: { index, term } });
    else found.push({ kind, group });
  }
  return found;
}

describe("a frame", () => {
  test("gives back every record that was staged, in order, over as many frames as it takes", () => {
    fc.assert(
      fc.property(fc.array(aRecord, { maxLength: 60 }), (records) => {
        const staging = new Staging({ arena: testArena, checksum, frameBytes: 4096 });
        for (const record of records) stage(staging, record);
        const frames = staging.take();
        expect(frames.flatMap(readBack)).toEqual(records);
        for (const frame of frames) {
          const bytes = frame.seal(identity);
          const header = readFrameHeader(bytes);
          expect(header).toMatchObject({ ...identity, recordCount: frame.recordCount });
          expect(header && isFrameIntact(bytes, header, checksum)).toBe(true);
          staging.release(frame);
        }
        staging.close();
      }),
      { numRuns: 200 },
    );
  });

  test("has the same checksum whether it was gathered in steps or at once", () => {
    const payload = new Uint8Array(70_000).fill(9);
    const staging = new Staging({ arena: testArena, checksum, frameBytes: 1024 * 1024 });
    for (let index = 1; index <= 9; index++) {
      staging.addEntry(1, { index, term: 1, kind: "data", baseOffset: 0, offsetCount: 1, payload });
    }
    const [frame] = staging.take();
    const bytes = frame?.seal(identity) ?? new Uint8Array(frameHeaderBytes);
    const header = readFrameHeader(bytes);
    expect(header && isFrameIntact(bytes, header, checksum)).toBe(true);
  });

  test("is not intact with any one bit flipped", () => {
    const frame = new StagedFrame(testArena.allocate(4096), checksum);
    frame.memory.bytes.fill(7, frame.extend(100), frameHeaderBytes + 100);
    const bytes = frame.seal({ ...identity, isState: true });
    for (let bit = 0; bit < (frameHeaderBytes + 100) * 8; bit++) {
      const broken = bytes.slice();
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const header = readFrameHeader(broken);
      expect(header !== undefined && isFrameIntact(broken, header, checksum)).toBe(false);
    }
  });

  test("is not found in random bytes or zeros, and reading them never throws", () => {
    expect(readFrameHeader(new Uint8Array(4096))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (bytes) => {
        new DataView(bytes.buffer).setUint32(4, 0x314a524d, true);
        const header: FrameHeader | undefined = readFrameHeader(bytes);
        expect(header === undefined || Number.isSafeInteger(header.frameSequence)).toBe(true);
      }),
    );
  });
});

describe("a stored integer", () => {
  test("keeps every safe value and refuses all others", () => {
    const view = new DataView(new ArrayBuffer(8));
    fc.assert(
      fc.property(safe, (value) => {
        writeSafeInteger(view, 0, value);
        expect(readSafeInteger(view, 0)).toBe(value);
      }),
    );
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => writeSafeInteger(view, 0, value)).toThrow();
    }
    view.setUint32(4, 2 ** 21, true);
    expect(() => readSafeInteger(view, 0)).toThrow();
  });
});
