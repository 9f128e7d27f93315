import type { Compression } from "#protocol/compression/compression.ts";
import { attributesOf, readBatches } from "#protocol/records/batch.ts";
import { readRecords } from "#protocol/records/record.ts";
import { RawConnection } from "../integration/bad-input/raw-connection.ts";
import { fetchRequest, readFetchResponse } from "../integration/bad-input/wire.ts";

/** Each look is one Fetch of this version. */
export const storedFetchVersion = 4;

const decompressedBytesMax = 64 << 20;

/** The codecs of the batches in partition 0, each once, as they are stored. */
export async function storedCompressions(
  bootstrapServers: string,
  topic: string,
): Promise<readonly (Compression | undefined)[]> {
  const stored = await storedBytes(bootstrapServers, topic);
  return [...new Set(Array.from(readBatches(stored), ({ header }) => attributesOf(header).compression))];
}

/** The values in partition 0, as text and in order, seen by no client's eyes. */
export async function storedValues(bootstrapServers: string, topic: string): Promise<readonly string[]> {
  const stored = await storedBytes(bootstrapServers, topic);
  return Array.from(readBatches(stored)).flatMap(({ batch }) =>
    Array.from(readRecords(batch, { decompressedBytesMax }), ({ value }) =>
      Buffer.from(value ?? "").toString(),
    ),
  );
}

/** All of a partition that is small enough for one answer. */
async function storedBytes(bootstrapServers: string, topic: string): Promise<Buffer> {
  await using connection = await RawConnection.open(bootstrapServers);
  connection.write(fetchRequest({ topic, offset: 0n, waitMsMax: 5_000 }));
  return readFetchResponse(await connection.response()).records;
}
