import { ProtocolError } from "./protocol-error.ts";

/** A uuid's size on the wire. */
export const uuidSizeBytes = 16;

/** Kafka's "no id": sixteen zero bytes. */
export const zeroUuid = "AAAAAAAAAAAAAAAAAAAAAA";

/** Reads 16 bytes as Kafka prints them: 22 characters of base64url without padding. */
export function readUuid(bytes: Buffer, position: number): string {
  for (let index = position; index < position + uuidSizeBytes; index++) {
    if (bytes[index] !== 0) return bytes.toString("base64url", position, position + uuidSizeBytes);
  }
  return zeroUuid;
}

/** Writes a 22-character uuid as 16 bytes; throws ProtocolError for anything else. */
export function writeUuid(bytes: Buffer, position: number, uuid: string): void {
  if (uuid === zeroUuid) {
    bytes.fill(0, position, position + uuidSizeBytes);
    return;
  }
  // Buffer skips what is not base64, so only the length of what it wrote shows a bad character.
  if (
    uuid.length !== zeroUuid.length ||
    bytes.write(uuid, position, uuidSizeBytes, "base64url") !== uuidSizeBytes
  ) {
    throw new ProtocolError("unencodable", `Cannot write uuid "${uuid}": not 22 characters of base64url`);
  }
}

/** Prints 16 bytes in Kafka's 22-character form; throws ProtocolError for another length. */
export function uuidFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== uuidSizeBytes) {
    throw new ProtocolError("malformed", `Cannot print uuid of ${bytes.length} bytes: not ${uuidSizeBytes}`);
  }
  return readUuid(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0);
}
