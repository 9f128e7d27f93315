import { basename } from "node:path";
import { crc32c } from "#protocol/bytes/crc32c.ts";
import { alignUp } from "#storage/io/alignment.ts";
import { blockBytes } from "#storage/io/file.ts";
import {
  type FrameHeader,
  frameHeaderBytes,
  isFrameIntact,
  readFrameHeader,
} from "#storage/journal/frame.ts";
import { sequenceOf } from "#storage/journal/journal-file.ts";
import { RecordCursor } from "#storage/journal/record.ts";
import { decodeCommand, type MetadataCommand } from "../../cluster/metadata/metadata-command.ts";
import type { DumpItem } from "./dump-item.ts";
import type { FileBytes } from "./file-bytes.ts";

const metadataGroup = 0;

/** A frame whose checksum holds. */
interface Frame {
  readonly header: FrameHeader;
  readonly bytes: Buffer;
  readonly sizeBytes: number;
}

/**
 * Frames of one journal file. What follows the last one is a former life of the file, which is ordinary, unless a later
 * frame of this life lies behind it.
 */
export async function* dumpJournal(
  file: FileBytes,
  { showsRecords }: { showsRecords: boolean },
): AsyncGenerator<DumpItem> {
  const sequence = sequenceOf(basename(file.path));
  let last: FrameHeader | undefined;
  let position = 0;
  while (position < file.sizeBytes) {
    const frame = await readFrame(file, position);
    if (frame && isNext(frame.header, sequence, last)) {
      yield describeFrame(frame, position);
      if (showsRecords) yield* dumpRecords(frame);
      last = frame.header;
      position += frame.sizeBytes;
      continue;
    }
    const later = await findLater(file, position, (header) => isLater(header, sequence, last));
    const sizeBytes = (later ?? file.sizeBytes) - position;
    if (later === undefined) {
      yield { kind: "unused", position, sizeBytes, reason: "not written in this life of the file" };
      return;
    }
    yield {
      kind: "damage",
      position,
      reason: `no intact frame for ${sizeBytes} bytes, and a later frame behind them`,
    };
    last = undefined;
    position = later;
  }
}

function isNext(header: FrameHeader, sequence: number | undefined, last: FrameHeader | undefined): boolean {
  if (header.fileSequence !== sequence) return false;
  if (!last) return true;
  return header.journalId === last.journalId && header.frameSequence === last.frameSequence + 1;
}

function isLater(header: FrameHeader, sequence: number | undefined, last: FrameHeader | undefined): boolean {
  if (header.fileSequence !== sequence) return false;
  return !last || (header.journalId === last.journalId && header.frameSequence > last.frameSequence);
}

async function readFrame(file: FileBytes, position: number): Promise<Frame | undefined> {
  const block = await file.at(position, blockBytes);
  const header = block.length === blockBytes ? readFrameHeader(block) : undefined;
  if (!header) return undefined;
  const sizeBytes = alignUp(frameHeaderBytes + header.bodyBytes);
  if (position + sizeBytes > file.sizeBytes) return undefined;
  const bytes = await file.at(position, sizeBytes);
  return isFrameIntact(bytes, header, crc32c) ? { header, bytes, sizeBytes } : undefined;
}

async function findLater(
  file: FileBytes,
  start: number,
  isWanted: (header: FrameHeader) => boolean,
): Promise<number | undefined> {
  for (let position = start + blockBytes; position < file.sizeBytes; position += blockBytes) {
    const frame = await readFrame(file, position);
    if (frame && isWanted(frame.header)) return position;
  }
  return undefined;
}

function describeFrame({ header, sizeBytes }: Frame, position: number): DumpItem {
  const { frameSequence: sequence, isState, recordCount } = header;
  return { kind: "frame", position, sizeBytes, sequence, isState, recordCount };
}

function* dumpRecords({ header, bytes }: Frame): Generator<DumpItem> {
  const cursor = new RecordCursor(bytes, frameHeaderBytes, frameHeaderBytes + header.bodyBytes);
  while (cursor.next()) yield describeRecord(cursor, bytes);
}

function describeRecord(cursor: RecordCursor, bytes: Uint8Array): DumpItem {
  const { kind, group, index, term, votedFor } = cursor;
  switch (kind) {
    case "entry": {
      const { entryKind, baseOffset, offsetCount, payloadPosition, payloadBytes } = cursor;
      const payload = bytes.subarray(payloadPosition, payloadPosition + payloadBytes);
      const command = group === metadataGroup && entryKind === "command" ? tryDecode(payload) : undefined;
      const entry = { kind, group, index, term, entryKind, baseOffset, offsetCount, payloadBytes } as const;
      return command ? { ...entry, command } : entry;
    }
    case "hardState":
      return { kind, group, term, votedFor };
    case "floor":
      return { kind, group, index, term };
    case "forget":
      return { kind, group };
    default:
      return kind satisfies never;
  }
}

/** A newer version's command is shown by its size alone. */
function tryDecode(payload: Uint8Array): MetadataCommand | undefined {
  try {
    return decodeCommand(payload);
  } catch {
    return undefined;
  }
}
