import type { Random } from "./random.ts";

/**
 * Ways to spoil a frame.
 *
 *   frame  int32 length | int16 api key | int16 version | int32 correlation id | client id | … | body
 *
 * All but `lengthLie` leave a length that fits, so that the broker gets to see what was spoilt.
 */
const mutations: Readonly<Record<string, Mutation>> = {
  none: (frame) => frame,
  flipBits,
  setBytes,
  setInteger,
  truncate,
  insert,
  remove,
  splice,
  header,
  lengthLie,
};

type Mutation = (frame: Buffer, random: Random, other: Buffer) => Buffer;

/** How often each is chosen: what gets deepest into the broker is chosen most. */
const weights: Readonly<Record<keyof typeof mutations, number>> = {
  none: 4,
  flipBits: 6,
  setBytes: 4,
  setInteger: 6,
  truncate: 2,
  insert: 2,
  remove: 2,
  splice: 3,
  header: 2,
  lengthLie: 1,
};

const choices = Object.entries(weights).flatMap(([name, weight]) => new Array<string>(weight).fill(name));

const lengthBytes = 4;
const headerBytes = 14;
const interestingBytes = [0, 1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff] as const;
const interestingIntegers = [
  0,
  1,
  -1,
  2,
  127,
  128,
  255,
  0x7fff,
  0x8000,
  0xffff,
  1 << 20,
  100 << 20,
  0x7fff_ffff,
  -0x8000_0000,
] as const;

/** A frame as the broker gets it: a copy, spoilt in one way or two; `other` lends its bytes to splices. */
export function mutate(
  frame: Uint8Array,
  random: Random,
  other: Uint8Array,
): { kind: string; frame: Buffer } {
  const kinds = random.below(4) === 0 ? [random.pick(choices), random.pick(choices)] : [random.pick(choices)];
  let mutated: Buffer = Buffer.from(frame);
  for (const kind of kinds) mutated = mutations[kind]?.(mutated, random, Buffer.from(other)) ?? mutated;
  return { kind: kinds.join("+"), frame: mutated };
}

/** Positions behind the length; the header gets its share by a mutation of its own. */
function position(frame: Buffer, random: Random): number {
  const from = Math.min(headerBytes, frame.length - 1);
  return from + random.below(Math.max(1, frame.length - from));
}

function withLength(frame: Buffer): Buffer {
  frame.writeInt32BE(frame.length - lengthBytes, 0);
  return frame;
}

function flipBits(frame: Buffer, random: Random): Buffer {
  for (let count = 1 + random.below(8); count > 0; count--) {
    const at = position(frame, random);
    frame.writeUInt8(frame.readUInt8(at) ^ (1 << random.below(8)), at);
  }
  return frame;
}

function setBytes(frame: Buffer, random: Random): Buffer {
  for (let count = 1 + random.below(4); count > 0; count--) {
    frame.writeUInt8(random.pick(interestingBytes), position(frame, random));
  }
  return frame;
}

function setInteger(frame: Buffer, random: Random): Buffer {
  const value = random.pick(interestingIntegers);
  const at = Math.min(position(frame, random), frame.length - 8);
  if (at < lengthBytes) return frame;
  const size = random.below(3);
  if (size === 0) frame.writeUInt16BE(value & 0xffff, at);
  else if (size === 1) frame.writeInt32BE(value | 0, at);
  else frame.writeBigInt64BE(BigInt(value) << BigInt(random.below(32)), at);
  return frame;
}

function truncate(frame: Buffer, random: Random): Buffer {
  return withLength(Buffer.from(frame.subarray(0, Math.max(lengthBytes, position(frame, random)))));
}

function insert(frame: Buffer, random: Random): Buffer {
  const at = position(frame, random);
  const added = random.bytes(1 + random.below(random.below(20) === 0 ? 4_000 : 12));
  return withLength(Buffer.concat([frame.subarray(0, at), added, frame.subarray(at)]));
}

function remove(frame: Buffer, random: Random): Buffer {
  const at = position(frame, random);
  return withLength(Buffer.concat([frame.subarray(0, at), frame.subarray(at + 1 + random.below(12))]));
}

function splice(frame: Buffer, random: Random, other: Buffer): Buffer {
  const head = frame.subarray(0, position(frame, random));
  return withLength(Buffer.concat([head, other.subarray(position(other, random))]));
}

function header(frame: Buffer, random: Random): Buffer {
  if (frame.length < headerBytes) return frame;
  const field = random.below(4);
  if (field === 0) frame.writeInt16BE(random.below(100) - 5, 4);
  else if (field === 1) frame.writeInt16BE(random.below(24) - 4, 6);
  else if (field === 2) frame.writeInt32BE(random.pick(interestingIntegers) | 0, 8);
  else frame.writeInt16BE(random.pick([-2, -1, 0, 1, 200, 0x7fff]), 12);
  return frame;
}

function lengthLie(frame: Buffer, random: Random): Buffer {
  const length = frame.length - lengthBytes;
  const lies = [length - 1, length + 1, length + 7, length >> 1, 0, 3, -1, 1 << 20, 90 << 20, 0x7fff_ffff];
  frame.writeInt32BE(random.pick(lies), 0);
  return frame;
}
