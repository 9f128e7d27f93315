import type { EncodedFrame, ReceivedFrame } from "./frame.ts";
import { FrameError } from "./frame.ts";
import type { FrameEncoder } from "./frame-encoder.ts";
import {
  fromWireHeartbeats,
  fromWireHeartbeatsAnswer,
  toWireHeartbeats,
  toWireHeartbeatsAnswer,
  type WireHeartbeatSet,
  type WireHeartbeatSetAnswer,
} from "./heartbeat-set.ts";
import { type FrameReplicas, fromWireMessage, toWireMessage, type WireMessage } from "./message-codec.ts";
import type { ChunkFrame, NodeFrame, PassFrame } from "./node-frame.ts";
import { SafeReader } from "./safe-reader.ts";
import { envelopes } from "./schema.ts";

/**
 * A payload that is less than this share of its frame's body is copied out of it: as a view it would keep the
 * whole body in memory for as long as anybody keeps the payload.
 */
const viewShareMin = 1 / 8;

interface WirePass {
  readonly from: number;
  readonly to: number;
  readonly messages: readonly WireMessage[];
  readonly heartbeats: WireHeartbeatSet | null;
  readonly heartbeatsAnswer: WireHeartbeatSetAnswer | null;
}

type WireChunk = Omit<ChunkFrame, "kind" | "payload">;

/** The frame's bytes; large payloads stay where they are and must not change until it was sent. */
export function encodeNodeFrame(
  frame: NodeFrame,
  replicas: FrameReplicas,
  encoder: FrameEncoder,
): EncodedFrame {
  switch (frame.kind) {
    case "pass":
      return encodePass(frame, replicas, encoder);
    case "chunk":
      return encoder.encode({
        kind: "chunk",
        envelope: { type: envelopes.chunk, fields: frame },
        payloads: [frame.payload],
      });
    default:
      return frame satisfies never;
  }
}

function encodePass(frame: PassFrame, replicas: FrameReplicas, encoder: FrameEncoder): EncodedFrame {
  const payloads: Uint8Array[] = [];
  const fields: WirePass = {
    ...replicas,
    messages: frame.messages.map((message) => toWireMessage(message, replicas, payloads)),
    heartbeats: frame.heartbeats ? toWireHeartbeats(frame.heartbeats) : null,
    heartbeatsAnswer: frame.heartbeatsAnswer ? toWireHeartbeatsAnswer(frame.heartbeatsAnswer) : null,
  };
  return encoder.encode({ kind: "pass", envelope: { type: envelopes.pass, fields }, payloads });
}

/** Reads what `encodeNodeFrame` wrote; payloads are views of the frame, or copies of small ones. @throws FrameError */
export function decodeNodeFrame(frame: ReceivedFrame): NodeFrame {
  try {
    if (frame.kind === "pass") return decodePass(frame);
    if (frame.kind === "chunk") return decodeChunk(frame);
  } catch (error) {
    throw new FrameError("envelope", `Cannot read a frame of kind "${frame.kind}": its envelope is broken`, {
      cause: error,
    });
  }
  throw new FrameError("unexpected", `Cannot take a frame of kind "${frame.kind}": it has no place here`);
}

function decodePass(frame: ReceivedFrame): PassFrame {
  const wire = envelopes.pass.decode(new SafeReader(frame.envelope)) as unknown as WirePass;
  const payloads = new PayloadCutter(frame);
  const replicas = { from: wire.from, to: wire.to };
  const takePayload = (sizeBytes: number) => payloads.take(sizeBytes);
  const messages = wire.messages.map((message) => fromWireMessage(message, replicas, takePayload));
  payloads.finish();
  return {
    kind: "pass",
    messages,
    ...(wire.heartbeats && { heartbeats: fromWireHeartbeats(wire.heartbeats) }),
    ...(wire.heartbeatsAnswer && { heartbeatsAnswer: fromWireHeartbeatsAnswer(wire.heartbeatsAnswer) }),
  };
}

function decodeChunk(frame: ReceivedFrame): ChunkFrame {
  const wire = envelopes.chunk.decode(new SafeReader(frame.envelope)) as unknown as WireChunk;
  const { stream, group, sequence, label, isLast } = wire;
  return { kind: "chunk", stream, group, sequence, label, isLast, payload: frame.tail };
}

/** Cuts the payloads off a frame's tail, one after the other. */
class PayloadCutter {
  readonly #tail: Uint8Array;
  readonly #viewBytesMin: number;
  #position = 0;

  constructor({ envelope, tail }: ReceivedFrame) {
    this.#tail = tail;
    this.#viewBytesMin = (envelope.length + tail.length) * viewShareMin;
  }

  take(sizeBytes: number): Uint8Array {
    const end = this.#position + sizeBytes;
    if (end > this.#tail.length) throw new RangeError("Cannot take a payload: the frame ends before it");
    const view = this.#tail.subarray(this.#position, end);
    this.#position = end;
    return sizeBytes < this.#viewBytesMin ? Buffer.from(view) : view;
  }

  finish(): void {
    if (this.#position !== this.#tail.length) {
      throw new RangeError(
        `Cannot read a frame: ${this.#tail.length - this.#position} bytes belong to no message`,
      );
    }
  }
}
