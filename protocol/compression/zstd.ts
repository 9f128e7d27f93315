import { zlib } from "./libraries.ts";
import { bounded, chunkBytes } from "./zlib-output.ts";

/** Compresses to one zstd frame; `level` 1 (fast) to 22 (small), zstd's default (3) where absent. */
export function compressZstd(bytes: Uint8Array, level?: number): Uint8Array {
  return zlib().zstdCompressSync(bytes, {
    chunkSize: chunkBytes(bytes.length),
    pledgedSrcSize: bytes.length,
    ...(level === undefined ? {} : { params: { [zlib().constants.ZSTD_c_compressionLevel]: level } }),
  });
}

/**
 * Expands zstd. The window that a frame may announce stays at zstd's own limit, 128 MiB:
 * clients at level 20 and above use it for streams of unknown length, and only the part written to is resident.
 * @throws CompressionError
 */
export function decompressZstd(bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  return bounded("zstd", outputBytesMax, () =>
    zlib().zstdDecompressSync(bytes, {
      chunkSize: chunkBytes(bytes.length * 4),
      maxOutputLength: Math.max(outputBytesMax, 1),
    }),
  );
}
