import { crc32c } from "#protocol/bytes/crc32c.ts";
import { decodeCommand, type MetadataCommand } from "#src/cluster/metadata/metadata-command.ts";
import { alignUp } from "#storage/io/alignment.ts";
import { blockBytes } from "#storage/io/file.ts";
import { frameHeaderBytes, isFrameIntact, readFrameHeader } from "#storage/journal/frame.ts";
import { RecordCursor } from "#storage/journal/record.ts";
import type { DiskWrite } from "./held-disk.ts";

/** Whether a write goes to the journal. */
export function isOfJournal({ path }: DiskWrite): boolean {
  return path.startsWith("/data/journal/");
}

/** Whether it carries a frame, and not the zeros that a new file is filled with. */
export function hasFrame({ bytes }: DiskWrite): boolean {
  return readFrameHeader(bytes) !== undefined;
}

/** Knows from the bytes of completed writes alone what the journal durably holds. */
export class JournalWitness {
  /** Every command of the metadata group, in order. */
  readonly commands: MetadataCommand[] = [];
  readonly #batches = new Map<string, Uint8Array>();
  readonly #endOffsets = new Map<number, number>();

  /** Reads the intact frames of a write that has completed. */
  take(write: DiskWrite): void {
    if (!isOfJournal(write)) return;
    const { bytes } = write;
    for (let at = 0; at < bytes.length; ) {
      const header = readFrameHeader(bytes.subarray(at));
      const frameBytes = header ? alignUp(frameHeaderBytes + header.bodyBytes) : blockBytes;
      const frame = bytes.subarray(at, at + frameBytes);
      if (header && isFrameIntact(frame, header, crc32c)) {
        this.#takeRecords(
          new RecordCursor(frame, frameHeaderBytes, frameHeaderBytes + header.bodyBytes),
          frame,
        );
      }
      at += frameBytes;
    }
  }

  /** The batch of a group that begins at an offset, where it is durable. */
  batch(groupId: number, baseOffset: number): Uint8Array | undefined {
    return this.#batches.get(keyOf(groupId, baseOffset));
  }

  /** Where the durable batches of a group end. */
  endOffset(groupId: number): number {
    return this.#endOffsets.get(groupId) ?? 0;
  }

  /** Whether some durable batch of a group has these bytes in it. */
  holds(groupId: number, bytes: Uint8Array): boolean {
    return [...this.#batches].some(
      ([key, batch]) => key.startsWith(`${groupId}@`) && Buffer.from(batch).indexOf(bytes) >= 0,
    );
  }

  #takeRecords(record: RecordCursor, frame: Uint8Array): void {
    while (record.next()) {
      if (record.kind !== "entry") continue;
      const { group, baseOffset, offsetCount, payloadPosition, payloadBytes } = record;
      const payload = frame.slice(payloadPosition, payloadPosition + payloadBytes);
      if (record.entryKind === "command") this.commands.push(decodeCommand(payload));
      if (record.entryKind !== "data") continue;
      this.#batches.set(keyOf(group, baseOffset), payload);
      this.#endOffsets.set(group, baseOffset + offsetCount);
    }
  }
}

function keyOf(groupId: number, baseOffset: number): string {
  return `${groupId}@${baseOffset}`;
}
