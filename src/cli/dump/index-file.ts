import { basename } from "node:path";
import type { DumpItem } from "./dump-item.ts";
import type { FileBytes } from "./file-bytes.ts";

/** As `OffsetIndex` writes them: offset and position, 4 bytes each. */
const offsetEntryBytes = 8;

/** As `TimeIndex` writes them: time in 8 bytes, offset in 4. */
const timeEntryBytes = 12;

/** Entries of a `.index` file; each must be beyond the one before. */
export async function* dumpOffsetIndex(file: FileBytes): AsyncGenerator<DumpItem> {
  const baseOffset = Number(basename(file.path, ".index"));
  let previous = { offset: -1, position: -1 };
  for (let at = 0; at + offsetEntryBytes <= file.sizeBytes; at += offsetEntryBytes) {
    const bytes = await file.at(at, offsetEntryBytes);
    const entry = { offset: baseOffset + bytes.readUInt32BE(0), position: bytes.readUInt32BE(4) };
    yield { kind: "indexEntry", ...entry };
    if (entry.offset <= previous.offset || entry.position <= previous.position) {
      yield { kind: "damage", position: at, reason: "the entry is not beyond the one before" };
    }
    previous = entry;
  }
  yield* oddEnd(file, offsetEntryBytes);
}

/** Entries of a `.timeindex` file; each must be beyond the one before. */
export async function* dumpTimeIndex(file: FileBytes): AsyncGenerator<DumpItem> {
  const baseOffset = Number(basename(file.path, ".timeindex"));
  let previousMs = Number.NEGATIVE_INFINITY;
  for (let at = 0; at + timeEntryBytes <= file.sizeBytes; at += timeEntryBytes) {
    const bytes = await file.at(at, timeEntryBytes);
    const timestampMs = Number(bytes.readBigInt64BE(0));
    yield { kind: "timeIndexEntry", timestampMs, offset: baseOffset + bytes.readUInt32BE(8) };
    if (timestampMs <= previousMs) {
      yield { kind: "damage", position: at, reason: "the entry is not later than the one before" };
    }
    previousMs = timestampMs;
  }
  yield* oddEnd(file, timeEntryBytes);
}

function* oddEnd({ sizeBytes }: FileBytes, entryBytes: number): Generator<DumpItem> {
  const extraBytes = sizeBytes % entryBytes;
  if (extraBytes === 0) return;
  yield {
    kind: "damage",
    position: sizeBytes - extraBytes,
    reason: `${extraBytes} bytes are no whole entry`,
  };
}
