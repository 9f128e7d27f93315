import { corrupt } from "./compression-error.ts";
import { lz4 } from "./libraries.ts";
import { type Lz4Block, measureLz4Frame, readLz4Blocks, readLz4Frame } from "./lz4-frame.ts";

/*
 * The library compresses blocks; the frame around them is ours. Its own frames have no bound on their output,
 * and measured eight times as slow to read.
 */

/** Independent blocks of 64 KiB and no checksums, as Java writes: Java reads no linked blocks. */
const frameHeader = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82);
const blockBytes = 64 * 1024;

/** How far back a match may reach. */
const windowBytes = 64 * 1024;

/** What the library puts before a block, and wants to find there: the uncompressed size, little-endian. */
const prefixBytes = 4;

/** Compresses to one LZ4 frame. */
export function compressLz4(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [frameHeader];
  for (let position = 0; position < bytes.length; position += blockBytes) {
    const plain = bytes.subarray(position, position + blockBytes);
    const compressed = lz4().compressSync(asBuffer(plain)).subarray(prefixBytes);
    const isStored = compressed.length >= plain.length;
    const data = isStored ? plain : compressed;
    parts.push(uint32(isStored ? data.length + 0x8000_0000 : data.length), data);
  }
  parts.push(uint32(0));
  return Buffer.concat(parts);
}

/**
 * Expands one LZ4 frame: independent or linked blocks, with or without content size and checksums.
 * @throws CompressionError
 */
export function decompressLz4(bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  const frame = readLz4Frame(bytes);
  const output = Buffer.allocUnsafe(measureLz4Frame(bytes, frame, outputBytesMax));
  let position = 0;
  for (const block of readLz4Blocks(bytes, frame)) {
    const roomBytes = Math.min(frame.blockBytesMax, output.length - position);
    const window = frame.isLinked
      ? output.subarray(Math.max(0, position - windowBytes), position)
      : undefined;
    const plain = block.isStored ? block.data : expandBlock(block, roomBytes, window);
    output.set(plain, position);
    position += plain.length;
  }
  // Memory was taken unfilled, so a byte not written would be someone else's.
  if (position !== output.length) throw corrupt("lz4", `${position} bytes instead of ${output.length}`);
  return output;
}

function expandBlock({ data }: Lz4Block, roomBytes: number, window: Uint8Array | undefined): Uint8Array {
  const prefixed = Buffer.allocUnsafe(prefixBytes + data.length);
  prefixed.writeUInt32LE(roomBytes);
  prefixed.set(data, prefixBytes);
  try {
    return lz4().uncompressSync(prefixed, window);
  } catch (error) {
    throw corrupt("lz4", error instanceof Error ? error.message : "unknown failure", error);
  }
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** The same memory as a Buffer, which the library's types ask for. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
