/** Reversed Castagnoli polynomial (RFC 3720, appendix B.4). */
const polynomial = 0x82f63b78;
const slices = 8;

/**
 * `tables[256 * s + b]` is the checksum's change from byte `b` followed by `s` zero bytes.
 * Eight bytes are then folded by eight independent lookups, which a CPU overlaps, instead of a chain of eight.
 */
const tables = makeTables();

/** CRC-32C in plain TypeScript; `seed` is the checksum of the bytes before, so that parts can be chained. */
export function crc32cByTable(bytes: Uint8Array, seed = 0): number {
  const t = tables;
  let crc = ~seed;
  let position = 0;
  const wordsEnd = bytes.length - (bytes.length % slices);
  for (; position < wordsEnd; position += slices) {
    crc ^= word(bytes, position);
    const high = word(bytes, position + 4);
    crc =
      at(t, 1792 + (crc & 255)) ^
      at(t, 1536 + ((crc >>> 8) & 255)) ^
      at(t, 1280 + ((crc >>> 16) & 255)) ^
      at(t, 1024 + (crc >>> 24)) ^
      at(t, 768 + (high & 255)) ^
      at(t, 512 + ((high >>> 8) & 255)) ^
      at(t, 256 + ((high >>> 16) & 255)) ^
      at(t, high >>> 24);
  }
  for (; position < bytes.length; position++) {
    crc = at(t, (crc ^ byte(bytes, position)) & 255) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

function word(bytes: Uint8Array, position: number): number {
  return (
    byte(bytes, position) |
    (byte(bytes, position + 1) << 8) |
    (byte(bytes, position + 2) << 16) |
    (byte(bytes, position + 3) << 24)
  );
}

// The casts cost nothing at run time: every index above is inside its array by construction.
function byte(bytes: Uint8Array, position: number): number {
  return bytes[position] as number;
}

function at(table: Int32Array, index: number): number {
  return table[index] as number;
}

function makeTables(): Int32Array {
  const made = new Int32Array(256 * slices);
  for (let b = 0; b < 256; b++) {
    let crc = b;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    made[b] = crc;
  }
  for (let index = 256; index < made.length; index++) {
    const previous = at(made, index - 256);
    made[index] = at(made, previous & 255) ^ (previous >>> 8);
  }
  return made;
}
