/**
 * A frame: what goes over a connection between nodes; big-endian.
 *
 * | at | size | field                                                              |
 * |----|------|--------------------------------------------------------------------|
 * | 0  | u16  | magic "MR": a stranger is told apart before any length is believed |
 * | 2  | u8   | version of this layout and of the messages, 1                      |
 * | 3  | u8   | kind                                                               |
 * | 4  | u32  | body bytes: envelope and tail                                      |
 * | 8  | u32  | envelope bytes                                                     |
 * | 12 | u32  | CRC-32C of bytes 0 to 11 and then of the body                      |
 * | 16 | …    | envelope: one protobuf message, after the kind                     |
 * | …  | …    | tail: the payloads that the envelope tells the sizes of, in order  |
 *
 * The checksum covers the payloads, too. Batches have one of their own, but not over their base offset and
 * epoch, and commands have none; what a follower wrote with a flipped bit its journal would seal as good.
 */

/** CRC-32C (Castagnoli) as an unsigned number; `seed` is the checksum of the bytes before. */
export type Checksum = (bytes: Uint8Array, seed?: number) => number;

/** What a frame is for, with its number on the wire. */
export const frameKinds = {
  /** Who dials. */
  hello: 1,
  /** The dialled node takes the connection. */
  welcome: 2,
  /** The dialled node does not. */
  refusal: 3,
  /** Asks for a pong. */
  ping: 4,
  pong: 5,
  /** The sender ends the connection on purpose. */
  goodbye: 6,
  /** What all groups of a node say to a peer in one pass. */
  pass: 16,
  /** A piece of a catch-up or snapshot. */
  chunk: 17,
} as const;

export type FrameKind = keyof typeof frameKinds;

/** Bytes in front of a frame's body. */
export const frameHeaderBytes = 16;

/** The version that this code speaks. */
export const transportVersion = 1;

const magic = 0x4d52;
const checksumAt = 12;

/**
 * stranger: not this protocol · version: another one · size: over a bound · checksum: damaged · envelope: cannot
 * be decoded · unexpected: of a kind that has no place here.
 */
export type FrameErrorCode = "stranger" | "version" | "size" | "checksum" | "envelope" | "unexpected";

/** A peer sent what cannot be a frame; the connection cannot go on. */
export class FrameError extends Error {
  readonly code: FrameErrorCode;

  constructor(code: FrameErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "FrameError";
    this.code = code;
  }
}

/** A frame ready to be written, in as many pieces as large payloads make it. */
export interface EncodedFrame {
  readonly pieces: readonly Uint8Array[];
  readonly sizeBytes: number;
}

/** A frame as it was received: both parts are views of one buffer that is nobody else's. */
export interface ReceivedFrame {
  readonly kind: FrameKind;
  readonly envelope: Uint8Array;
  readonly tail: Uint8Array;
}

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly bodyBytes: number;
  readonly envelopeBytes: number;
  readonly checksum: number;
}

/** What a connection takes. */
export interface FrameLimits {
  readonly bodyBytesMax: number;
  readonly envelopeBytesMax: number;
}

const kindsByNumber: ReadonlyMap<number, FrameKind> = new Map(
  Object.entries(frameKinds).map(([kind, number]) => [number, kind as FrameKind]),
);

/** Fills in the header at the start of the first piece; header and body are in place. */
export function sealFrame(
  pieces: readonly Uint8Array[],
  header: Omit<FrameHeader, "checksum">,
  checksum: Checksum,
): void {
  const first = pieces[0] as Uint8Array;
  const view = new DataView(first.buffer, first.byteOffset, frameHeaderBytes);
  view.setUint16(0, magic);
  view.setUint8(2, transportVersion);
  view.setUint8(3, frameKinds[header.kind]);
  view.setUint32(4, header.bodyBytes);
  view.setUint32(8, header.envelopeBytes);
  let sum = checksum(first.subarray(0, checksumAt));
  sum = checksum(first.subarray(frameHeaderBytes), sum);
  for (let index = 1; index < pieces.length; index++) sum = checksum(pieces[index] as Uint8Array, sum);
  view.setUint32(checksumAt, sum);
}

/** Reads and judges a header, before anything is allocated for its body. @throws FrameError */
export function readFrameHeader(bytes: Buffer, limits: FrameLimits): FrameHeader {
  if (bytes.readUInt16BE(0) !== magic) {
    throw new FrameError("stranger", `Cannot read a frame: it begins with ${bytes.toString("hex", 0, 8)}`);
  }
  const version = bytes.readUInt8(2);
  if (version !== transportVersion) {
    throw new FrameError(
      "version",
      `Cannot read a frame of version ${version}: known is ${transportVersion}`,
    );
  }
  const kind = kindsByNumber.get(bytes.readUInt8(3));
  if (!kind)
    throw new FrameError("unexpected", `Cannot read a frame of kind ${bytes.readUInt8(3)}: it is unknown`);
  const bodyBytes = bytes.readUInt32BE(4);
  const envelopeBytes = bytes.readUInt32BE(8);
  if (bodyBytes > limits.bodyBytesMax) {
    throw new FrameError(
      "size",
      `Cannot take a frame of ${bodyBytes} bytes: the most is ${limits.bodyBytesMax}`,
    );
  }
  if (envelopeBytes > bodyBytes || envelopeBytes > limits.envelopeBytesMax) {
    throw new FrameError(
      "size",
      `Cannot take an envelope of ${envelopeBytes} bytes in a body of ${bodyBytes}: the most is ${limits.envelopeBytesMax}`,
    );
  }
  return { kind, bodyBytes, envelopeBytes, checksum: bytes.readUInt32BE(checksumAt) };
}

/** Cuts a whole body into its parts. @throws FrameError when it is not what its sender sealed. */
export function openFrame(
  { header, headerBytes, body }: { header: FrameHeader; headerBytes: Uint8Array; body: Uint8Array },
  checksum: Checksum,
): ReceivedFrame {
  const found = checksum(body, checksum(headerBytes.subarray(0, checksumAt)));
  if (found !== header.checksum) {
    throw new FrameError("checksum", `Cannot take a frame of ${body.length} bytes: its checksum is wrong`);
  }
  return {
    kind: header.kind,
    envelope: body.subarray(0, header.envelopeBytes),
    tail: body.subarray(header.envelopeBytes),
  };
}
