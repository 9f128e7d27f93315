import fc from "fast-check";
import { expect, test } from "vitest";
import { EntryPlaces } from "#src/runtime/entry-places.ts";
import type { RecoveredEntry } from "#storage/journal/entry.ts";
import { RecordCursor } from "#storage/journal/record.ts";

/** A record as the journal shows it; the memory behind it does not matter. */
function record(index: number, term: number): RecordCursor {
  const cursor = new RecordCursor(new Uint8Array(0), 0, 0);
  return Object.assign(cursor, {
    ...{ kind: "entry", group: 1, index, term, entryKind: "command" },
    ...{ baseOffset: index * 10, offsetCount: index % 3, payloadPosition: 44, payloadBytes: index },
  });
}

function recovered(index: number): RecoveredEntry {
  const location = { fileSequence: 3, position: index * 100, sizeBytes: 7, checksum: 0xffff_ffff };
  return { index, term: 2, kind: "data", baseOffset: index, offsetCount: 1, location };
}

test("tells of found and of new entries all that it was told", () => {
  const places = new EntryPlaces();
  places.restore(recovered(5));
  places.note(record(6, 9), 4, 4096);
  expect(places.at(4)).toBeUndefined();
  expect(places.at(5)).toEqual(recovered(5));
  expect(places.at(6)).toEqual({
    ...{ index: 6, term: 9, kind: "command", baseOffset: 60, offsetCount: 0 },
    location: { fileSequence: 4, position: 4096 + 44, sizeBytes: 6, checksum: -1 },
  });
  expect(places.at(7)).toBeUndefined();
});

test("whatever is noted, replaced and released, it knows the dense stretch that is left", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("append" as const), count: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant("replace" as const), back: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ kind: fc.constant("release" as const), count: fc.integer({ min: 0, max: 60 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const places = new EntryPlaces();
      const model = new Map<number, number>();
      let first = 1;
      let last = 0;
      let term = 1;
      function note(index: number): void {
        places.note(record(index, term), 1, 0);
        model.set(index, term);
        last = index;
      }
      for (const next of steps) {
        if (next.kind === "append") for (let left = next.count; left > 0; left--) note(last + 1);
        if (next.kind === "replace" && last - next.back >= first) {
          term += 1;
          for (let index = last - next.back + 1; index <= last; index++) model.delete(index);
          note(last - next.back + 1);
        }
        if (next.kind === "release") {
          const through = Math.min(last, first + next.count - 1);
          places.releaseThrough(through);
          for (; first <= through; first++) model.delete(first);
        }
        for (let index = first - 2; index <= last + 25; index++) {
          expect(places.at(index)?.term).toBe(model.get(index));
        }
      }
    }),
  );
});

test("entries above a floor that jumped ahead are a new stretch", () => {
  const places = new EntryPlaces();
  for (let index = 1; index <= 10; index++) places.note(record(index, 1), 1, 0);
  places.releaseThrough(200);
  places.note(record(201, 3), 2, 0);
  expect(places.at(10)).toBeUndefined();
  expect(places.at(201)?.term).toBe(3);
});
