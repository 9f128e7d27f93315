import { expect, test } from "vitest";
import { attributesOf, isIntact, readBatchHeader } from "#protocol/records/batch.ts";
import { recompress } from "#protocol/records/recompress.ts";
import { readRecords } from "#protocol/records/record.ts";
import { javaBatches } from "./java-batches.ts";

const bound = { decompressedBytesMax: 10_000 };
const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

test.each(codecs.flatMap((from) => codecs.map((to) => ({ from, to }))))(
  "$from to $to keeps records and header (trap 23)",
  ({ from, to }) => {
    const batch = javaBatches[from];
    const made = recompress(batch, { compression: to, ...bound });
    const header = readBatchHeader(made, 0);
    expect(isIntact(made, 0, header)).toBe(true);
    expect(attributesOf(header)).toMatchObject({ compression: to, isTransactional: true });
    const { sizeBytes, crc, attributes, ...kept } = readBatchHeader(batch, 0);
    expect(header).toMatchObject(kept);
    expect([...readRecords(made, bound)]).toEqual([...readRecords(batch, bound)]);
  },
);

test("a batch that has the codec already is handed back as it is", () => {
  expect(recompress(javaBatches.zstd, { compression: "zstd", ...bound })).toBe(javaBatches.zstd);
});

test("uncompressing gives the bytes that were compressed (trap 25)", () => {
  const made = recompress(javaBatches.gzip, { compression: "none", ...bound });
  expect(Buffer.from(made).toString("hex")).toBe(javaBatches.none.toString("hex"));
});
