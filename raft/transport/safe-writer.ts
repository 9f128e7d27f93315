import protobuf from "protobufjs";

const uint32Max = 2 ** 32 - 1;

/** A protobuf writer whose uint64s are safe integers: no Long on the way, and what is none fails here, not at the peer. */
export class SafeWriter extends protobuf.Writer {
  override uint64(value: unknown): this {
    if (!isUnsigned(value))
      throw new RangeError(`Cannot write "${value}" as uint64: it is no safe unsigned integer`);
    // A varint is the same for both widths.
    if (value <= uint32Max) this.uint32(value);
    else super.uint64(value);
    return this;
  }

  override uint64s(values: readonly unknown[]): this {
    this.fork();
    for (const value of values) this.uint64(value);
    this.ldelim();
    return this;
  }
}

function isUnsigned(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
