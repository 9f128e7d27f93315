/**
 * Kafka's partition for a key: murmur2 with the seed that all its clients share, without its sign bit, modulo the
 * partition count. So a key written here lands where every other client puts it.
 */
export function partitionOfKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitionCount;
}

const seed = 0x9747_b28c;
const multiplier = 0x5bd1_e995;

/** MurmurHash2 for 32 bits (Austin Appleby), as a signed number. */
export function murmur2(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hash = seed ^ bytes.length;
  let position = 0;
  for (; position + 4 <= bytes.length; position += 4) {
    let word = Math.imul(view.getInt32(position, true), multiplier);
    word ^= word >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier);
  }
  const rest = bytes.length - position;
  if (rest >= 3) hash ^= view.getUint8(position + 2) << 16;
  if (rest >= 2) hash ^= view.getUint8(position + 1) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ view.getUint8(position), multiplier);
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}
