import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { crc32c } from "#protocol/bytes/crc32c.ts";
import { stampBatch } from "#protocol/records/batch.ts";
import { buildBatch } from "#protocol/records/batch-builder.ts";
import type { DumpItem } from "#src/cli/dump/dump-item.ts";
import { FileBytes } from "#src/cli/dump/file-bytes.ts";
import { dumpOffsetIndex, dumpTimeIndex } from "#src/cli/dump/index-file.ts";
import { dumpJournal } from "#src/cli/dump/journal-dump.ts";
import { dumpSegment } from "#src/cli/dump/segment-file.ts";
import { blockBytes } from "#storage/io/file.ts";
import { frameHeaderBytes, sealFrame } from "#storage/journal/frame.ts";
import { recordBytes, writeHardState } from "#storage/journal/record.ts";
import { runLine } from "../fake-world.ts";

let directory = "";
beforeAll(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "millrace-dump-")), "orders-3");
  await mkdir(directory);
});
afterAll(async () => {
  await rm(join(directory, ".."), { recursive: true });
});

type Dump = (file: FileBytes, options: { showsRecords: boolean }) => AsyncGenerator<DumpItem>;

async function dump(how: Dump, name: string, bytes: Uint8Array): Promise<DumpItem[]> {
  const path = join(directory, name);
  await writeFile(path, bytes);
  await using file = await FileBytes.open(path);
  return await Array.fromAsync(how(file, { showsRecords: true }));
}

const kinds = (items: readonly DumpItem[]): string[] => items.map(({ kind }) => kind);

function batch(baseOffset: number, ...values: string[]): Uint8Array {
  const records = values.map((value) => ({ timestampMs: 1, key: null, value: Buffer.from(value) }));
  const bytes = buildBatch({ records, compression: "gzip" });
  stampBatch(bytes, 0, { baseOffset, leaderEpoch: 5 });
  return bytes;
}

describe("a segment", () => {
  const name = "00000000000000000000.log";
  const [first, second] = [batch(0, "a", "b"), batch(2, "c")];

  test("shows its batches and their records, and where they are from", async () => {
    const items = await dump(dumpSegment, name, Buffer.concat([first, second]));
    expect(kinds(items)).toEqual(["batch", "record", "record", "batch", "record"]);
    expect(items[0]).toMatchObject({
      baseOffset: 0,
      lastOffset: 1,
      recordCount: 2,
      compression: "gzip",
      leaderEpoch: 5,
    });
    expect(items[3]).toMatchObject({ baseOffset: 2, position: first.length });
    const record = items[4];
    expect(record?.kind === "record" && JSON.parse(record.text)).toMatchObject({
      topic: "orders",
      partition: 3,
      offset: 2,
      value: "c",
    });
  });

  test("may end in zeros, not in anything else", async () => {
    const zeros = await dump(dumpSegment, name, Buffer.concat([first, Buffer.alloc(5_000)]));
    expect(zeros.at(-1)).toMatchObject({ kind: "unused", position: first.length, sizeBytes: 5_000 });
    const torn = await dump(dumpSegment, name, Buffer.concat([first, second.subarray(0, -1)]));
    expect(torn.at(-1)).toMatchObject({ kind: "damage", position: first.length });
    expect(kinds(await dump(dumpSegment, name, Buffer.concat([first, Buffer.alloc(99, 1)]))).at(-1)).toBe(
      "damage",
    );
  });

  test("any flipped bit behind the stamped fields of a batch is damage", async () => {
    const bytes = Buffer.concat([first, second]);
    for (let position = first.length + 16; position < bytes.length; position++) {
      const flipped = Buffer.from(bytes);
      flipped[position] = (flipped[position] ?? 0) ^ 1;
      expect(kinds(await dump(dumpSegment, name, flipped))).toContain("damage");
    }
  });

  test("offsets that do not grow are damage", async () => {
    expect(kinds(await dump(dumpSegment, name, Buffer.concat([second, first])))).toContain("damage");
  });
});

describe("an index", () => {
  test("shows offsets and positions, or times, from its base offset on", async () => {
    const offsets = Buffer.alloc(16);
    for (const [index, value] of [3, 100, 9, 200].entries()) offsets.writeUInt32BE(value, index * 4);
    expect(await dump(dumpOffsetIndex, "00000000000000000010.index", offsets)).toEqual([
      { kind: "indexEntry", offset: 13, position: 100 },
      { kind: "indexEntry", offset: 19, position: 200 },
    ]);
    const times = Buffer.alloc(12);
    times.writeBigInt64BE(1_700_000_000_000n, 0);
    times.writeUInt32BE(4, 8);
    expect(await dump(dumpTimeIndex, "00000000000000000010.timeindex", times)).toEqual([
      { kind: "timeIndexEntry", timestampMs: 1_700_000_000_000, offset: 14 },
    ]);
  });

  test("entries out of order and halves of entries are damage", async () => {
    expect(kinds(await dump(dumpOffsetIndex, "00000000000000000000.index", Buffer.alloc(19)))).toEqual([
      "indexEntry",
      "indexEntry",
      "damage",
      "damage",
    ]);
  });
});

describe("a journal file", () => {
  const name = "journal-00000000000000000007.log";

  function frame(frameSequence: number, fileSequence = 7): Buffer {
    const bytes = Buffer.alloc(blockBytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    writeHardState({ bytes, view }, frameHeaderBytes, 4, { term: frameSequence, votedFor: 1 });
    const body = bytes.subarray(frameHeaderBytes, frameHeaderBytes + recordBytes.hardState);
    const header = {
      journalId: 1,
      fileSequence,
      frameSequence,
      isState: false,
      bodyBytes: body.length,
      recordCount: 1,
    };
    sealFrame(bytes, view, { header, bodyChecksum: crc32c(body), checksum: crc32c });
    return bytes;
  }

  test("shows frames with their records up to what is left of a former life", async () => {
    const items = await dump(
      dumpJournal,
      name,
      Buffer.concat([frame(1), frame(2), frame(3, 6), Buffer.alloc(blockBytes)]),
    );
    expect(kinds(items)).toEqual(["frame", "hardState", "frame", "hardState", "unused"]);
    expect(items[3]).toEqual({ kind: "hardState", group: 4, term: 2, votedFor: 1 });
    expect(items[4]).toMatchObject({ position: 2 * blockBytes, sizeBytes: 2 * blockBytes });
  });

  test("a broken frame with a good one behind it is damage, a broken last one is not", async () => {
    const broken = frame(2);
    broken[frameHeaderBytes] = 9;
    const middle = await dump(dumpJournal, name, Buffer.concat([frame(1), broken, frame(3)]));
    expect(kinds(middle)).toEqual(["frame", "hardState", "damage", "frame", "hardState"]);
    expect(kinds(await dump(dumpJournal, name, Buffer.concat([frame(1), broken])))).toEqual([
      "frame",
      "hardState",
      "unused",
    ]);
  });
});

describe("millrace dump-log", () => {
  test("prints lines of JSON, the file's sum last", async () => {
    await writeFile(join(directory, "00000000000000000000.log"), batch(0, "a"));
    const { exitCode, output } = await runLine([
      "dump-log",
      join(directory, "00000000000000000000.log"),
      "--json",
    ]);
    expect(exitCode).toBe(0);
    const lines = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string });
    expect(lines.map(({ kind }) => kind)).toEqual(["batch", "file"]);
  });

  test("what is not there, or is no such file, is named", async () => {
    expect(await runLine(["dump-log", "/nonesuch"])).toMatchObject({
      exitCode: 1,
      talk: expect.stringContaining('"/nonesuch"'),
    });
    await writeFile(join(directory, "notes.txt"), "");
    const { exitCode, talk } = await runLine(["dump-log", join(directory, "notes.txt")]);
    expect(exitCode).toBe(1);
    expect(talk).toContain("it is no segment, index or journal file by its name");
  });
});
