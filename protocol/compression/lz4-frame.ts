import { corrupt, tooLarge } from "./compression-error.ts";

/*
 * An LZ4 frame (lz4_Frame_format.md, version 1.6):
 *
 *   magic          4  04 22 4d 18
 *   flags          1  7-6 version (01) | 5 independent blocks | 4 block checksums | 3 content size
 *                     | 2 content checksum | 1 reserved | 0 dictionary id
 *   block maximum  1  6-4: 4 = 64 KiB, 5 = 256 KiB, 6 = 1 MiB, 7 = 4 MiB
 *   content size   8  little-endian, where flagged
 *   dictionary id  4  where flagged (refused: Kafka has no dictionaries)
 *   header check   1
 *   then per block:
 *     size         4  little-endian; the high bit marks stored bytes; 0 ends the frame
 *     data         n
 *     checksum     4  where flagged
 *   checksum       4  of the content, where flagged
 *
 * The checksums are passed over: the batch's CRC-32C covers these bytes already.
 */
const frameMagic = 0x184d2204;
const flag = {
  version: 0xc0,
  independentBlocks: 0x20,
  blockChecksums: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  dictionary: 0x01,
};
const storedBit = 0x8000_0000;

/** What a frame's header says of its blocks. */
export interface Lz4Frame {
  readonly headerBytes: number;
  /** No block expands to more. */
  readonly blockBytesMax: number;
  /** True when matches may reach into the 64 KiB before their block. */
  readonly isLinked: boolean;
  readonly hasBlockChecksums: boolean;
  readonly hasContentChecksum: boolean;
}

/** A block's data, as views of the frame. */
export interface Lz4Block {
  readonly isStored: boolean;
  readonly data: Uint8Array;
}

/** Reads the header of a frame. @throws CompressionError */
export function readLz4Frame(bytes: Uint8Array): Lz4Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 7 || view.getUint32(0, true) !== frameMagic) throw corrupt("lz4", "no frame");
  const flags = view.getUint8(4);
  if ((flags & flag.version) !== 0x40) throw corrupt("lz4", "unknown frame version");
  if (flags & flag.dictionary) throw corrupt("lz4", "needs a dictionary");
  const maximum = (view.getUint8(5) >> 4) & 7;
  if (maximum < 4) throw corrupt("lz4", "unknown block size");
  return {
    headerBytes: 7 + (flags & flag.contentSize ? 8 : 0),
    blockBytesMax: 2 ** (2 * maximum + 8),
    isLinked: (flags & flag.independentBlocks) === 0,
    hasBlockChecksums: (flags & flag.blockChecksums) !== 0,
    hasContentChecksum: (flags & flag.contentChecksum) !== 0,
  };
}

/** Walks a frame's blocks to its end mark; bytes after the frame are ignored, as in Java. @throws CompressionError */
export function* readLz4Blocks(bytes: Uint8Array, frame: Lz4Frame): Generator<Lz4Block> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const checksumBytes = frame.hasBlockChecksums ? 4 : 0;
  let position = frame.headerBytes;
  for (;;) {
    if (bytes.length - position < 4) throw corrupt("lz4", "frame cut off");
    const size = view.getUint32(position, true);
    position += 4;
    if (size === 0) break;

    const isStored = size >= storedBit;
    const dataBytes = isStored ? size - storedBit : size;
    if (dataBytes + checksumBytes > bytes.length - position) throw corrupt("lz4", "block cut off");
    yield { isStored, data: bytes.subarray(position, position + dataBytes) };
    position += dataBytes + checksumBytes;
  }
  if (frame.hasContentChecksum && bytes.length - position < 4) throw corrupt("lz4", "frame cut off");
}

/**
 * The exact size of what a frame expands to, found without expanding it.
 *
 * So output is allocated once, at its size, and a bomb is refused before it takes any memory.
 * @throws CompressionError
 */
export function measureLz4Frame(bytes: Uint8Array, frame: Lz4Frame, outputBytesMax: number): number {
  let outputBytes = 0;
  for (const { isStored, data } of readLz4Blocks(bytes, frame)) {
    const blockOutputBytes = isStored ? data.length : measureBlock(data);
    if (blockOutputBytes > frame.blockBytesMax) throw corrupt("lz4", `block of ${blockOutputBytes} bytes`);
    outputBytes += blockOutputBytes;
    if (outputBytes > outputBytesMax) throw tooLarge("lz4", outputBytesMax);
  }
  return outputBytes;
}

/**
 * A block is a series of: token (literal length << 4 | match length - 4), more literal length while 255,
 * literals, 2 bytes of match distance, more match length while 255. The last one ends after its literals.
 */
function measureBlock(data: Uint8Array): number {
  let outputBytes = 0;
  let position = 0;
  const extended = (length: number): number => {
    if (length !== 15) return length;
    let total = length;
    for (;;) {
      const more = data[position++];
      if (more === undefined) throw corrupt("lz4", "length cut off");
      total += more;
      if (more !== 255) return total;
    }
  };
  while (position < data.length) {
    const token = data[position++] ?? 0;
    const literalBytes = extended(token >>> 4);
    position += literalBytes;
    outputBytes += literalBytes;
    if (position > data.length) throw corrupt("lz4", "literals cut off");
    if (position === data.length) return outputBytes;

    position += 2;
    if (position > data.length) throw corrupt("lz4", "distance cut off");
    outputBytes += 4 + extended(token & 15);
  }
  throw corrupt("lz4", "block ends in a match");
}
