import { createRequire } from "node:module";
import { crc32cByTable } from "./crc32c-table.ts";

type Crc32c = (bytes: Uint8Array, seed?: number) => number;

/**
 * Below this size a call into native code costs more than the table does.
 * Measured on Node 24: the two cross between 128 and 256 bytes.
 */
const nativeBytesMin = 160;

const native = loadNative();

/** Which implementation answers `crc32c` for anything but the smallest inputs. */
export const crc32cImplementation: "native" | "table" = native ? "native" : "table";

/** CRC-32C (Castagnoli), as an unsigned 32-bit number; `seed` is the checksum of the bytes before, to chain parts. */
export const crc32c: Crc32c = native ? (bytes, seed = 0) => checksum(native, bytes, seed) : crc32cByTable;

function checksum(native: Crc32c, bytes: Uint8Array, seed: number): number {
  return bytes.length < nativeBytesMin ? crc32cByTable(bytes, seed) : native(bytes, seed);
}

/** A platform without a prebuilt binary is slower, not broken. */
function loadNative(): Crc32c | undefined {
  try {
    const library = createRequire(import.meta.url)("@node-rs/crc32") as typeof import("@node-rs/crc32");
    return library.crc32c;
  } catch {
    return undefined;
  }
}
