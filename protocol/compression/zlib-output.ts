import { CompressionError, corrupt, tooLarge } from "./compression-error.ts";

/** Node collects output in pieces of this size: its 16 KiB default costs a megabyte sixty-four allocations. */
export function chunkBytes(expectedBytes: number): number {
  return Math.min(Math.max(expectedBytes, 4096), 256 * 1024);
}

/** Runs one of Node's synchronous decompressors, turning its failures into ours. */
export function bounded(codec: string, outputBytesMax: number, run: () => Uint8Array): Uint8Array {
  try {
    return run();
  } catch (error) {
    if (error instanceof CompressionError) throw error;
    if (error instanceof RangeError) throw tooLarge(codec, outputBytesMax);
    throw corrupt(codec, error instanceof Error ? error.message : "unknown failure", error);
  }
}
