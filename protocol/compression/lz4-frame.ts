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
 * A block is a series of: token (literal length << 4 | match length - 4), more literal length while 255,
 * literals, 2 bytes of match distance, more match length while 255. The last one ends after its literals.
 */
const frameMagic = 0x184d2204;
const flag = {
  version: 0xc0,
  blockChecksums: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  dictionary: 0x01,
};
const storedBit = 0x8000_0000;

/**
 * The exact size of what one frame expands to, found without expanding it.
 *
 * Checks the container's lengths and every block's against its maximum; checksums, match distances and the content
 * size are the decoder's to check. Bytes after the frame are ignored, as Java's clients do.
 * @throws CompressionError
 */
export function measureLz4Frame(bytes: Uint8Array, outputBytesMax: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frame = readFrameHeader(view);
  let position = frame.headerBytes;
  let outputBytes = 0;
  for (;;) {
    if (bytes.length - position < 4) throw corrupt("lz4", "frame cut off");
    const size = view.getUint32(position, true);
    position += 4;
    if (size === 0) break;

    const isStored = size >= storedBit;
    const dataBytes = isStored ? size - storedBit : size;
    if (dataBytes + frame.blockTrailerBytes > bytes.length - position) throw corrupt("lz4", "block cut off");
    const end = position + dataBytes;
    const blockOutput = isStored ? dataBytes : measureBlock(bytes, position, end);
    if (blockOutput > frame.blockBytesMax) throw corrupt("lz4", `block of ${blockOutput} bytes`);
    outputBytes += blockOutput;
    if (outputBytes > outputBytesMax) throw tooLarge("lz4", outputBytesMax);
    position = end + frame.blockTrailerBytes;
  }
  if (position + frame.trailerBytes !== bytes.length)
    throw corrupt("lz4", "frame does not end with the bytes");
  return outputBytes;
}

function readFrameHeader(view: DataView): {
  headerBytes: number;
  blockBytesMax: number;
  blockTrailerBytes: number;
  trailerBytes: number;
} {
  if (view.byteLength < 7 || view.getUint32(0, true) !== frameMagic) throw corrupt("lz4", "no frame");
  const flags = view.getUint8(4);
  if ((flags & flag.version) !== 0x40) throw corrupt("lz4", "unknown frame version");
  if (flags & flag.dictionary) throw corrupt("lz4", "needs a dictionary");
  const maximum = (view.getUint8(5) >> 4) & 7;
  if (maximum < 4) throw corrupt("lz4", "unknown block size");
  return {
    headerBytes: 7 + (flags & flag.contentSize ? 8 : 0),
    blockBytesMax: 2 ** (2 * maximum + 8),
    blockTrailerBytes: flags & flag.blockChecksums ? 4 : 0,
    trailerBytes: flags & flag.contentChecksum ? 4 : 0,
  };
}

function measureBlock(bytes: Uint8Array, start: number, end: number): number {
  let outputBytes = 0;
  let position = start;
  const extend = (length: number): number => {
    if (length !== 15) return length;
    let total = length;
    for (;;) {
      const more = position < end ? bytes[position++] : undefined;
      if (more === undefined) throw corrupt("lz4", "length cut off");
      total += more;
      if (more !== 255) return total;
    }
  };
  while (position < end) {
    const token = bytes[position++] ?? 0;
    const literalBytes = extend(token >>> 4);
    position += literalBytes;
    outputBytes += literalBytes;
    if (position > end) throw corrupt("lz4", "literals cut off");
    if (position === end) return outputBytes;

    position += 2;
    if (position > end) throw corrupt("lz4", "distance cut off");
    outputBytes += 4 + extend(token & 15);
  }
  throw corrupt("lz4", "block ends in a match");
}
