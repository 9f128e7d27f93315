import type { Type } from "protobufjs";
import { type Checksum, type EncodedFrame, type FrameKind, frameHeaderBytes, sealFrame } from "./frame.ts";
import { SafeWriter } from "./safe-writer.ts";

/** A payload from this size on is a piece of its own; copying a smaller one costs less than another piece does. */
export const ownPieceBytesMin = 4 << 10;

/** Scratch memory of more than this is not kept for the next frame. */
const scratchBytesMax = 1 << 20;

const headerSpace = new Uint8Array(frameHeaderBytes);

/** What a frame is made of. */
export interface FrameParts {
  readonly kind: FrameKind;
  /** The envelope's type and fields; none for kinds without an envelope. */
  readonly envelope?: { readonly type: Type; readonly fields: object };
  /** Large payloads are kept by reference: they must not change until the frame was sent. */
  readonly payloads?: readonly Uint8Array[];
}

/** Builds frames in scratch memory that is used again. */
export class FrameEncoder {
  readonly #checksum: Checksum;
  #writer = new SafeWriter();

  constructor(checksum: Checksum) {
    this.#checksum = checksum;
  }

  encode({ kind, envelope, payloads = [] }: FrameParts): EncodedFrame {
    const writer = this.#writer;
    writer.pos = 0;
    writer.raw(headerSpace);
    if (envelope) envelope.type.encode(envelope.fields, writer);
    const envelopeBytes = writer.pos - frameHeaderBytes;
    const cuts = this.#copySmall(payloads);
    const pieces = this.#takePieces(cuts);
    if (writer.buf.length > scratchBytesMax) this.#writer = new SafeWriter();

    let sizeBytes = 0;
    for (const piece of pieces) sizeBytes += piece.length;
    sealFrame(pieces, { kind, bodyBytes: sizeBytes - frameHeaderBytes, envelopeBytes }, this.#checksum);
    return { pieces, sizeBytes };
  }

  /** Puts small payloads behind the envelope; answers where large ones come in between. */
  #copySmall(payloads: readonly Uint8Array[]): Cut[] {
    const cuts: Cut[] = [];
    for (const payload of payloads) {
      if (payload.length < ownPieceBytesMin) this.#writer.raw(payload);
      else cuts.push({ position: this.#writer.pos, payload });
    }
    return cuts;
  }

  #takePieces(cuts: readonly Cut[]): Uint8Array[] {
    const { buf, pos } = this.#writer;
    const copied = Buffer.allocUnsafe(pos);
    copied.set(buf.subarray(0, pos));
    const pieces: Uint8Array[] = [];
    let from = 0;
    for (const { position, payload } of cuts) {
      if (position > from) pieces.push(copied.subarray(from, position));
      pieces.push(payload);
      from = position;
    }
    if (pos > from) pieces.push(copied.subarray(from));
    return pieces;
  }
}

/** A large payload, and where it stands among the scratch bytes. */
interface Cut {
  readonly position: number;
  readonly payload: Uint8Array;
}
