import { corrupt, tooLarge } from "./compression-error.ts";
import { snappy } from "./libraries.ts";

/*
 * Kafka frames snappy as the Java library of xerial does; raw snappy, which some clients send, is read too.
 *
 *   magic        8  82 53 4e 41 50 50 59 00  ("\x82SNAPPY\0")
 *   version      4  int32, 1
 *   compatible   4  int32, 1
 *   then per block, to the end:
 *     length     4  int32
 *     block      n  raw snappy: uvarint of the uncompressed length, elements
 */
const magic = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
const headerBytes = 16;

/** Java's block size: readers there reuse buffers of it. */
const blockBytes = 32 * 1024;

/** The densest element copies 64 bytes from 3 of input, so a larger promise than this is a lie. */
const ratioMax = 22;

/** Lets the library copy into V8's memory: for blocks this small it measured 3 to 6 times as fast as handing over its own. */
const copyOutputData = true;

/** Compresses to xerial's framing, in blocks of 32 KiB. */
export function compressSnappy(bytes: Uint8Array): Uint8Array {
  const header = Buffer.alloc(headerBytes);
  header.set(magic);
  header.writeInt32BE(1, 8);
  header.writeInt32BE(1, 12);
  const parts: Uint8Array[] = [header];
  for (let position = 0; position < bytes.length; position += blockBytes) {
    const block = snappy().compressSync(bytes.subarray(position, position + blockBytes), { copyOutputData });
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

/** Expands xerial-framed or raw snappy. @throws CompressionError */
export function decompressSnappy(bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  if (!isFramed(bytes)) return decompressBlock(bytes, outputBytesMax, outputBytesMax);

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks: Uint8Array[] = [];
  let outputBytes = 0;
  let position = headerBytes;
  while (position < bytes.length) {
    if (bytes.length - position < 4) throw corrupt("snappy", "block length cut off");
    const length = view.getInt32(position);
    position += 4;
    if (length <= 0 || length > bytes.length - position) throw corrupt("snappy", `block of ${length} bytes`);
    const block = decompressBlock(
      bytes.subarray(position, position + length),
      outputBytesMax - outputBytes,
      outputBytesMax,
    );
    blocks.push(block);
    outputBytes += block.length;
    position += length;
  }
  const [only] = blocks;
  return only && blocks.length === 1 ? only : Buffer.concat(blocks, outputBytes);
}

function isFramed(bytes: Uint8Array): boolean {
  return bytes.length >= headerBytes && magic.every((byte, index) => bytes[index] === byte);
}

/** The library allocates what a block promises before it reads the block, so the promise is checked here. */
function decompressBlock(block: Uint8Array, remainingBytes: number, outputBytesMax: number): Uint8Array {
  const promisedBytes = uncompressedLength(block);
  if (promisedBytes > block.length * ratioMax) throw corrupt("snappy", `promises ${promisedBytes} bytes`);
  if (promisedBytes > remainingBytes) throw tooLarge("snappy", outputBytesMax);
  try {
    return snappy().uncompressSync(block, { asBuffer: true, copyOutputData }) as Buffer;
  } catch (error) {
    throw corrupt("snappy", error instanceof Error ? error.message : "unknown failure", error);
  }
}

function uncompressedLength(block: Uint8Array): number {
  let length = 0;
  for (let index = 0; index < 5; index++) {
    const byte = block[index];
    if (byte === undefined) break;
    length += (byte & 127) * 2 ** (7 * index);
    if (byte < 128) return length;
  }
  throw corrupt("snappy", "length cut off");
}
