import protobuf from "protobufjs";

type DeclaredLong = ReturnType<protobuf.Reader["uint64"]>;

/** Beyond these the value is no safe integer. */
const varintBytesMax = 8;

/** A protobuf reader whose uint64s are safe integers: no Long on the way, and larger ones are refused. */
export class SafeReader extends protobuf.Reader {
  constructor(bytes: Uint8Array) {
    super(bytes);
    // What a newer peer adds is passed over, not kept.
    this.discardUnknown = true;
  }

  /** A number, whatever the declaration says. @throws RangeError */
  override uint64(): DeclaredLong {
    const { buf, len } = this;
    let position = this.pos;
    let value = 0;
    let factor = 1;
    for (let count = 0; count < varintBytesMax && position < len; count++) {
      const byte = buf[position++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        this.pos = position;
        return value as unknown as DeclaredLong;
      }
      factor *= 128;
    }
    throw new RangeError("Cannot read a uint64: it is cut off or no safe integer");
  }
}
