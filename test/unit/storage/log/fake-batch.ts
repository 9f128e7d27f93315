import type { BatchFormat, BatchHeader } from "#storage/log/batch-format.ts";

/**
 * A batch format as simple as it gets, so that storage is tested without the protocol:
 *
 * | position | bytes | field                                        |
 * |----------|-------|----------------------------------------------|
 * | 0        | 4     | magic                                        |
 * | 4        | 4     | checksum of all that follows                 |
 * | 8        | 4     | size of the whole batch                      |
 * | 12       | 4     | leader epoch                                 |
 * | 16       | 8     | base offset                                  |
 * | 24       | 8     | next offset                                  |
 * | 32       | 8     | largest timestamp                            |
 * | 40       | 8 × n | timestamp of each record                     |
 * |          |       | filler                                       |
 */
const headerBytes = 40;
const magic = 0x6d_69_6c_6c;

export interface FakeBatch {
  readonly bytes: Uint8Array;
  readonly header: BatchHeader;
}

export function fakeBatch(fields: {
  baseOffset: number;
  timestampsMs?: readonly number[];
  leaderEpoch?: number;
  fillerBytes?: number;
  /** Tells two batches of one shape apart. */
  fill?: number;
}): FakeBatch {
  const {
    baseOffset,
    timestampsMs = [1000 + baseOffset],
    leaderEpoch = 0,
    fillerBytes = 0,
    fill = 0xab,
  } = fields;
  const recordsEnd = headerBytes + timestampsMs.length * 8;
  const bytes = new Uint8Array(recordsEnd + fillerBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  view.setUint32(8, bytes.length);
  view.setInt32(12, leaderEpoch);
  view.setFloat64(16, baseOffset);
  view.setFloat64(24, baseOffset + timestampsMs.length);
  view.setFloat64(32, Math.max(...timestampsMs));
  for (const [i, timestampMs] of timestampsMs.entries()) view.setFloat64(headerBytes + i * 8, timestampMs);
  bytes.fill(fill, recordsEnd);
  view.setUint32(4, fakeChecksum(bytes.subarray(8)));
  return { bytes, header: fakeFormat.readHeader(bytes, 0) };
}

export const fakeFormat: BatchFormat = {
  headerBytes,

  readHeader(bytes, position) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + position, headerBytes);
    return {
      sizeBytes: view.getUint32(8),
      leaderEpoch: view.getInt32(12),
      baseOffset: view.getFloat64(16),
      nextOffset: view.getFloat64(24),
      maxTimestampMs: view.getFloat64(32),
    };
  },

  isIntact(bytes, position, header) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (view.getUint32(position) !== magic) return false;
    if (header.sizeBytes < headerBytes || position + header.sizeBytes > bytes.length) return false;
    return (
      view.getUint32(position + 4) === fakeChecksum(bytes.subarray(position + 8, position + header.sizeBytes))
    );
  },

  findTimestamp(batch, timestampMs, fromOffset = 0) {
    const header = fakeFormat.readHeader(batch, 0);
    const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
    for (let offset = header.baseOffset; offset < header.nextOffset; offset++) {
      const at = view.getFloat64(headerBytes + (offset - header.baseOffset) * 8);
      if (at >= timestampMs && offset >= fromOffset) return { offset, timestampMs: at };
    }
    return undefined;
  },
};

/** FNV-1a: good enough to notice torn and flipped bytes in a test. */
export function fakeChecksum(bytes: Uint8Array, seed = 0): number {
  let hash = (seed ^ 0x81_1c_9d_c5) >>> 0;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01_00_01_93) >>> 0;
  return hash;
}
