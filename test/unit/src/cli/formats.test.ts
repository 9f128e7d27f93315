import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConsumedRecord } from "#src/cli/client/partition-reader.ts";
import { UsageError } from "#src/cli/failure.ts";
import { LineTooLongError, splitLines } from "#src/cli/lines.ts";
import { parsePlace } from "#src/cli/place.ts";
import { Progress, progressLine } from "#src/cli/progress.ts";
import { countOf, formatBytes, formatCount, formatDuration, formatTime } from "#src/cli/quantities.ts";
import { compileFormat } from "#src/cli/record-format.ts";
import { recordFromJson, recordToJson } from "#src/cli/record-json.ts";
import { formatFields, formatTable } from "#src/cli/table.ts";
import { wantsColour } from "#src/cli/terminal.ts";
import { chunksOf, FakeWorld } from "./fake-world.ts";

const record: ConsumedRecord = {
  topic: "t",
  partition: 3,
  offset: 42,
  timestampMs: 1_700_000_000_000,
  timestampType: "createTime",
  key: Buffer.from("k"),
  value: Buffer.from("v\u00e4"),
  headers: [
    { key: "a", value: Buffer.from("1") },
    { key: "b", value: null },
  ],
};

describe("tables", () => {
  test("columns are as wide as what they hold, numbers stand at the right", () => {
    const columns = [{ title: "NAME" }, { title: "N", isNumber: true }];
    expect(
      formatTable(
        columns,
        [
          ["orders", 1],
          ["x", 1000],
        ],
        { hasColour: false },
      ),
    ).toBe("NAME       N\norders     1\nx       1000\n");
  });

  test("colour does not shift columns", () => {
    const columns = [{ title: "A" }, { title: "B" }];
    const plain = formatTable(columns, [[{ text: "x", style: "red" }, "y"]], { hasColour: false });
    const coloured = formatTable(columns, [[{ text: "x", style: "red" }, "y"]], { hasColour: true });
    expect(plain).toBe("A  B\nx  y\n");
    expect(coloured).toContain("\u001b[31mx\u001b[39m  y");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for.
    expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(plain);
  });

  test("fields stand below each other", () => {
    expect(
      formatFields(
        [
          ["Id", "x"],
          ["Topics", 3],
        ],
        { hasColour: false },
      ),
    ).toBe("Id      x\nTopics  3\n");
  });
});

describe("colour", () => {
  test.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: false }, {}, false],
    [{ isTTY: true }, { NO_COLOR: "1" }, false],
    [{ isTTY: true }, { NO_COLOR: "" }, true],
    [{ isTTY: true }, { TERM: "dumb" }, false],
    [{ isTTY: false }, { FORCE_COLOR: "1" }, true],
    [{ isTTY: true }, { FORCE_COLOR: "0" }, false],
    [{ isTTY: false }, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
  ])("%j with %j: %s", (stream, environment, wanted) => {
    expect(wantsColour(stream, environment)).toBe(wanted);
  });
});

describe("quantities", () => {
  test("read well", () => {
    expect([0, 1023, 1024, 1536, 10_240, 5 * 2 ** 30].map(formatBytes)).toEqual([
      "0 B",
      "1023 B",
      "1.0 KiB",
      "1.5 KiB",
      "10 KiB",
      "5.0 GiB",
    ]);
    expect([0, 999, 1000, 1_234_567].map(formatCount)).toEqual(["0", "999", "1,000", "1,234,567"]);
    expect([300, 42_000, 185_000, 7_800_000].map(formatDuration)).toEqual([
      "0.3 s",
      "42 s",
      "3 min 5 s",
      "2 h 10 min",
    ]);
    expect([countOf(1, "record"), countOf(2, "batch"), countOf(3, "entry")]).toEqual([
      "1 record",
      "2 batches",
      "3 entries",
    ]);
    expect([formatTime(0), formatTime(-1), formatTime(9e15)]).toEqual(["1970-01-01T00:00:00.000Z", "-", "-"]);
  });
});

describe("progress", () => {
  test("tells rate, and time left where the whole is known", () => {
    const work = { count: 12_345, sizeBytes: 1_258_291 };
    expect(progressLine(work, { noun: "record", elapsedMs: 5_000 })).toBe("12,345 records, 1.2 MiB, 2,469/s");
    expect(progressLine({ ...work, share: 0.25 }, { noun: "record", elapsedMs: 5_000 })).toBe(
      "12,345 records, 1.2 MiB, 2,469/s, 25 %, 15 s left",
    );
  });

  test("is drawn seldom, within one line, and removed at the end; never where nobody watches", () => {
    let nowMs = 0;
    const world = new FakeWorld();
    const clock = { ...world.clock, monotonicMs: () => nowMs };
    const watched = { ...world, clock, terminal: world.terminal, interruption: () => world.interruption() };
    world.terminal.isWatched = true;
    world.terminal.columns = 10;
    const progress = new Progress(watched, "record");
    for (; nowMs < 1_000; nowMs++) progress.show(() => ({ count: 1, sizeBytes: 1 }));
    const drawn = world.terminal.talk.split("\r").slice(1);
    expect(drawn).toHaveLength(5); // From half a second on, every tenth of one.
    for (const line of drawn) expect(line.replace("\u001b[K", "")).toHaveLength(9);
    progress.clear();
    expect(world.terminal.talk.endsWith("\r\u001b[K")).toBe(true);

    const unwatched = new FakeWorld();
    new Progress({ ...watched, terminal: unwatched.terminal }, "record").show(() => ({
      count: 1,
      sizeBytes: 1,
    }));
    expect(unwatched.terminal.talk).toBe("");
  });
});

describe("places", () => {
  test.each([
    ["beginning", { kind: "time", timestampMs: -2 }],
    ["latest", { kind: "time", timestampMs: -1 }],
    ["17", { kind: "offset", offset: 17 }],
    ["-10", { kind: "shift", by: -10 }],
    ["+3", { kind: "shift", by: 3 }],
    ["@1700000000000", { kind: "time", timestampMs: 1_700_000_000_000 }],
    ["2026-01-31T12:00:00Z", { kind: "time", timestampMs: Date.UTC(2026, 0, 31, 12) }],
    ["2026-01-31", { kind: "time", timestampMs: Date.UTC(2026, 0, 31) }],
  ])("%s", (text, place) => {
    expect(parsePlace("--from", text)).toEqual(place);
  });

  test.each(["", "x", "2026", "1.5", "--", "2026-13-01", "99999999999999999999"])("%j is none", (text) => {
    // A bare year is an offset, and looks like one.
    if (text === "2026") expect(parsePlace("--from", text)).toEqual({ kind: "offset", offset: 2026 });
    else expect(() => parsePlace("--from", text)).toThrow(UsageError);
  });
});

describe("lines", () => {
  async function linesOf(pieces: readonly (string | Uint8Array)[]): Promise<string[]> {
    const lines: string[] = [];
    for await (const some of splitLines(chunksOf(pieces))) lines.push(...some.map(String));
    return lines;
  }

  test("are the same however the bytes were cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom("a", "\u00e4", "\n", "\r") })),
        fc.array(fc.nat(20)),
        async (texts, cuts) => {
          const bytes = Buffer.from(texts.join(""));
          const pieces: Buffer[] = [];
          let start = 0;
          for (const cut of cuts) {
            pieces.push(bytes.subarray(start, start + cut));
            start += cut;
          }
          pieces.push(bytes.subarray(start));
          const expected = bytes.toString().split("\n");
          if (expected.at(-1) === "") expected.pop();
          expect(await linesOf(pieces)).toEqual(expected);
        },
      ),
    );
  });

  test("without an end are refused before they fill the memory", async () => {
    const chunk = Buffer.alloc(1 << 20, 0x61);
    await expect(linesOf(Array.from({ length: 65 }, () => chunk))).rejects.toThrow(LineTooLongError);
  });
});

describe("JSON records", () => {
  const bytes = fc.option(fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array)));

  test("come back as they were, whatever bytes they have", () => {
    fc.assert(
      fc.property(
        bytes,
        bytes,
        fc.array(fc.record({ key: fc.string(), value: bytes }), { maxLength: 3 }),
        (key, value, headers) => {
          const line = recordToJson({ ...record, key, value, headers });
          expect(line).not.toContain("\n");
          const read = recordFromJson(line, 0);
          const byName = (left: { key: string }, right: { key: string }): number =>
            left.key < right.key ? -1 : 1;
          expect(read).toMatchObject({ partition: 3, timestampMs: record.timestampMs });
          expect(read.key && Buffer.from(read.key)).toEqual(key);
          expect(read.value && Buffer.from(read.value)).toEqual(value);
          // Objects order keys that look like numbers first.
          expect(read.headers?.map((one) => one.key).toSorted()).toEqual(
            headers.map((one) => one.key).toSorted(),
          );
          expect(
            [...(read.headers ?? [])].sort(byName).map((one) => one.value && Buffer.from(one.value)),
          ).toEqual(headers.toSorted(byName).map((one) => one.value));
        },
      ),
    );
  });

  test("have defaults for what they leave out", () => {
    expect(recordFromJson("{}", 7)).toEqual({
      key: null,
      value: null,
      headers: [],
      timestampMs: 7,
      partition: undefined,
    });
  });

  test.each([
    "",
    "[]",
    "1",
    '{"key":1}',
    '{"headers":"x"}',
    '{"headers":[1]}',
    '{"partition":"0"}',
    '{"timestamp":1.5}',
  ])("%j is none", (line) => {
    expect(() => recordFromJson(line, 0)).toThrow();
  });
});

describe("formats", () => {
  test("put fields where their letters are", () => {
    const format = compileFormat("%t/%p@%o %k=%s [%h] %T %K:%S %%\\n");
    expect(format(record).toString()).toBe("t/3@42 k=v\u00e4 [a=1,b=] 1700000000000 1:3 %\n");
  });

  test("leave bytes of keys and values alone", () => {
    const value = Buffer.from([0xff, 0x5c, 0x6e, 0x25, 0x73]);
    expect(compileFormat("%s")({ ...record, value })).toEqual(value);
    expect(compileFormat("%k%s|%K|%S")({ ...record, key: null, value: null }).toString()).toBe("|-1|-1");
  });

  test.each(["%x", "%", "\\q", "a\\"])("%j is none", (text) => {
    expect(() => compileFormat(text)).toThrow(UsageError);
  });
});
