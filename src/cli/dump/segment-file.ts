import { basename, dirname } from "node:path";
import { ProtocolError } from "#protocol/bytes/protocol-error.ts";
import { CompressionError } from "#protocol/compression/compression-error.ts";
import {
  attributesOf,
  type BatchHeader,
  batchHeaderBytes,
  isIntact,
  readBatchHeader,
} from "#protocol/records/batch.ts";
import { readRecords } from "#protocol/records/record.ts";
import type { TopicPartition } from "../client/partition-leaders.ts";
import { recordToJson } from "../record-json.ts";
import type { DumpItem } from "./dump-item.ts";
import type { FileBytes } from "./file-bytes.ts";

/** No batch is larger than this; a length beyond it is damage. */
const batchBytesMax = 512 << 20;

/** How far a batch may expand to be shown. */
const decompressedBytesMax = 512 << 20;

const zeroCheckBytes = 1 << 16;

/** Batches of a segment, in order, each checked. */
export async function* dumpSegment(
  file: FileBytes,
  { showsRecords }: { showsRecords: boolean },
): AsyncGenerator<DumpItem> {
  const place = placeOf(file.path);
  let nextOffset = Number(basename(file.path, ".log"));
  let position = 0;
  while (position < file.sizeBytes) {
    const bytes = await file.at(position, batchHeaderBytes);
    const header = bytes.length === batchHeaderBytes ? readBatchHeader(bytes, 0) : undefined;
    if (!header || !isPlausible(header, file.sizeBytes - position)) {
      yield await describeEnd(file, position);
      return;
    }
    const batch = await file.at(position, header.sizeBytes);
    yield describeHeader(header, position);
    if (!isIntact(batch, 0, header))
      yield { kind: "damage", position, reason: "the batch's checksum does not match" };
    else if (header.baseOffset < nextOffset) {
      yield { kind: "damage", position, reason: `offset ${header.baseOffset} comes after ${nextOffset - 1}` };
    } else if (showsRecords) yield* dumpRecords(batch, header, { place, position });
    nextOffset = header.nextOffset;
    position += header.sizeBytes;
  }
}

function* dumpRecords(
  batch: Uint8Array,
  header: BatchHeader,
  { place, position }: { place: TopicPartition; position: number },
): Generator<DumpItem> {
  const { timestampType } = attributesOf(header);
  try {
    for (const record of readRecords(batch, { decompressedBytesMax })) {
      yield { kind: "record", text: recordToJson({ ...record, ...place, timestampType }) };
    }
  } catch (error) {
    if (!(error instanceof ProtocolError || error instanceof CompressionError)) throw error;
    yield { kind: "damage", position, reason: error.message };
  }
}

function isPlausible({ magic, sizeBytes, lastOffsetDelta }: BatchHeader, bytesLeft: number): boolean {
  const bytesMax = Math.min(bytesLeft, batchBytesMax);
  return magic === 2 && sizeBytes >= batchHeaderBytes && sizeBytes <= bytesMax && lastOffsetDelta >= 0;
}

function describeHeader(header: BatchHeader, position: number): DumpItem {
  const { compression, timestampType, isTransactional, isControl } = attributesOf(header);
  return {
    kind: "batch",
    position,
    sizeBytes: header.sizeBytes,
    baseOffset: header.baseOffset,
    lastOffset: header.nextOffset - 1,
    recordCount: header.recordCount,
    compression: compression ?? null,
    timestampType,
    maxTimestampMs: header.maxTimestampMs,
    leaderEpoch: header.leaderEpoch,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    isTransactional,
    isControl,
  };
}

/** Writes fill whole blocks, so zeros up to the end are ordinary; anything else is not. */
async function describeEnd(file: FileBytes, position: number): Promise<DumpItem> {
  const sizeBytes = file.sizeBytes - position;
  for (let at = position; at < file.sizeBytes; at += zeroCheckBytes) {
    const bytes = await file.at(at, Math.min(zeroCheckBytes, file.sizeBytes - at));
    if (bytes.some((byte) => byte !== 0)) {
      return { kind: "damage", position, reason: `no batch begins here, and ${sizeBytes} bytes follow` };
    }
  }
  return { kind: "unused", position, sizeBytes, reason: "zeros up to the end of the file" };
}

/** The topic and partition that the directory is named after. */
function placeOf(path: string): TopicPartition {
  const parts = /^(.+)-(\d+)$/.exec(basename(dirname(path)));
  return { topic: parts?.[1] ?? "", partition: Number(parts?.[2] ?? -1) };
}
