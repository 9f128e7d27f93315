/** Longest text of a record of `__consumer_offsets`, in UTF-8 bytes: its lengths are int16, and bytes that are no UTF-8 grow when decoded. */
const textBytesMax = 2 ** 15 - 1;

/** Whether a text, with `reservedBytes` more to come, can be written to the log. */
export function fitsRecord(text: string, reservedBytes = 0): boolean {
  return Buffer.byteLength(text) + reservedBytes <= textBytesMax;
}
