import { compressFrameSync, decompressFrameSync } from "lz4-napi";
import { corrupt } from "./compression-error.ts";
import { measureLz4Frame } from "./lz4-frame.ts";

/** Compresses to one LZ4 frame of independent blocks, the only kind that Java's clients read. */
export function compressLz4(bytes: Uint8Array): Uint8Array {
  return compressFrameSync(asBuffer(bytes));
}

/**
 * Expands one LZ4 frame: independent or linked blocks, with or without content size and checksums.
 *
 * The library has no bound on its output, so the frame is measured first, which touches only its tokens.
 * @throws CompressionError
 */
export function decompressLz4(bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  const outputBytes = measureLz4Frame(bytes, outputBytesMax);
  let output: Buffer;
  try {
    output = decompressFrameSync(asBuffer(bytes));
  } catch (error) {
    throw corrupt("lz4", error instanceof Error ? error.message : "unknown failure", error);
  }
  if (output.length !== outputBytes) throw corrupt("lz4", `${output.length} bytes instead of ${outputBytes}`);
  return output;
}

/** The same memory as a Buffer, which the library's types ask for. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
