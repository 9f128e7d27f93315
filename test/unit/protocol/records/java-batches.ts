/** Batches written by Kafka 4.3.1's own Java classes: the same four records under every codec, and both markers. */

const header = (length: string, crc: string, attributes: string): string =>
  `0000000000000064${length}0000000902${crc}${attributes}` +
  "000000030000018bcfe568000000018bcfe568060000000000001b5800030000002a00000004";

const plainRecords =
  "22000000046b31047631040268023102680110000a02010476320010000104046b330100ea04000c06046b34d804" +
  `${"00".repeat(300)}00`;

/** What the batches hold. */
export const javaRecords = [
  {
    timestampMs: 1_700_000_000_000,
    key: Buffer.from("k1"),
    value: Buffer.from("v1"),
    headers: [
      { key: "h", value: Buffer.from("1") },
      { key: "h", value: null },
    ],
  },
  { timestampMs: 1_700_000_000_005, key: null, value: Buffer.from("v2"), headers: [] },
  { timestampMs: 1_699_999_999_999, key: Buffer.from("k3"), value: null, headers: [] },
  { timestampMs: 1_700_000_000_006, key: Buffer.from("k4"), value: Buffer.alloc(300), headers: [] },
];

/** What their headers say. */
export const javaHeader = {
  baseOffset: 100,
  leaderEpoch: 9,
  producerId: 7000,
  producerEpoch: 3,
  baseSequence: 42,
  isTransactional: true,
};

/** By codec. */
export const javaBatches = {
  none: Buffer.from(header("0000018c", "7d79d123", "0010") + plainRecords, "hex"),
  gzip: Buffer.from(
    header("00000077", "d553cb7e", "0011") +
      "1f8b08000000000000ff5362606060c9366429336461ca603264ca601460e06262642933621060606461c93666" +
      "6478c5c2c0c3c6926d7283856114100f008e0552d85b010000",
    "hex",
  ),
  snappy: Buffer.from(
    header("00000088", "a1a33ce6", "0012") +
      "82534e4150505900000000010000000100000043db02c022000000046b31047631040268023102680110000a02" +
      "010476320010000104046b330100ea04000c06046b34d804000000fe0200fe0200fe0200fe0200a60200",
    "hex",
  ),
  lz4: Buffer.from(
    header("0000007b", "e6d4b751", "0013") +
      "04224d186040823b000000ff2022000000046b31047631040268023102680110000a0201047632001000010404" +
      "6b330100ea04000c06046b34d804000100ff1550000000000000000000",
    "hex",
  ),
  zstd: Buffer.from(
    header("00000074", "a20b6d32", "0014") +
      "28b52ffd0058bc0100f40222000000046b31047631040268023102680110000a02010476320010000104046b33" +
      "0100ea04000c06046b34d8040001004f514119010000",
    "hex",
  ),
} as const;

/** The ends of two transactions of producer 7000, epoch 3. */
export const javaMarkers = {
  commit: Buffer.from(
    "0000000000000037000000420000000902c9fb49340030000000000000018bcfe568000000018bcfe568000000" +
      "000000001b580003ffffffff000000012000000008000000010c00000000000c00",
    "hex",
  ),
  abort: Buffer.from(
    "00000000000000380000004200000009027dfa98880030000000000000018bcfe568010000018bcfe568010000" +
      "000000001b580003ffffffff000000012000000008000000000c00000000000d00",
    "hex",
  ),
} as const;
