import { zlib } from "./libraries.ts";
import { bounded, chunkBytes } from "./zlib-output.ts";

/** Compresses to a gzip member; `level` 1 (fast) to 9 (small), zlib's default where absent. */
export function gzip(bytes: Uint8Array, level?: number): Uint8Array {
  return zlib().gzipSync(bytes, {
    chunkSize: chunkBytes(bytes.length),
    ...(level === undefined ? {} : { level }),
  });
}

/** Expands gzip, several members included. @throws CompressionError */
export function gunzip(bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  return bounded("gzip", outputBytesMax, () =>
    zlib().gunzipSync(bytes, {
      chunkSize: chunkBytes(bytes.length * 4),
      maxOutputLength: Math.max(outputBytesMax, 1),
    }),
  );
}
