import { gunzip, gzip } from "./gzip.ts";
import { compressLz4, decompressLz4 } from "./lz4.ts";
import { compressSnappy, decompressSnappy } from "./snappy.ts";
import { compressZstd, decompressZstd } from "./zstd.ts";

/** A codec by Kafka's name; what a topic calls "uncompressed" is "none" here. */
export type Compression = "none" | "gzip" | "snappy" | "lz4" | "zstd";

/** Codecs by their id in a batch's attributes; ids 5 to 7 are unassigned. */
const byId = ["none", "gzip", "snappy", "lz4", "zstd"] as const satisfies readonly Compression[];

/** The codec with this id (0 to 7), or undefined for an unassigned one. */
export function compressionOf(id: number): Compression | undefined {
  return byId[id];
}

/** The codec's id in a batch's attributes. */
export function compressionId(compression: Compression): number {
  return byId.indexOf(compression);
}

/** Compresses as Kafka's clients expect to read it; `level` matters to gzip (1 to 9) and zstd (1 to 22) only. */
export function compress(compression: Compression, bytes: Uint8Array, level?: number): Uint8Array {
  switch (compression) {
    case "none":
      return bytes;
    case "gzip":
      return gzip(bytes, level);
    case "snappy":
      return compressSnappy(bytes);
    case "lz4":
      return compressLz4(bytes);
    case "zstd":
      return compressZstd(bytes, level);
    default:
      return compression satisfies never;
  }
}

/**
 * Decompresses, giving at most `outputBytesMax` bytes; "none" answers the bytes themselves, whatever their size.
 * @throws CompressionError
 */
export function decompress(compression: Compression, bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  switch (compression) {
    case "none":
      return bytes;
    case "gzip":
      return gunzip(bytes, outputBytesMax);
    case "snappy":
      return decompressSnappy(bytes, outputBytesMax);
    case "lz4":
      return decompressLz4(bytes, outputBytesMax);
    case "zstd":
      return decompressZstd(bytes, outputBytesMax);
    default:
      return compression satisfies never;
  }
}
