import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { connectKafkajs, createTopic } from "../kafkajs/kafkajs-client.ts";
import { useBroker } from "../test-broker.ts";
import { RawConnection } from "./raw-connection.ts";
import {
  apiKeys,
  apiVersionsRequest,
  compactString,
  fetchRequest,
  frame,
  header,
  int8,
  int16,
  int32,
  metadataRequest,
  string,
  taggedFields,
  unsignedVarint,
} from "./wire.ts";

const broker = useBroker();
const open = () => RawConnection.open(broker.bootstrapServers);

// Whatever a connection did, the next one is served as if nothing had happened.
afterEach(async () => {
  await using other = await open();
  other.write(apiVersionsRequest(77));
  expect((await other.response()).readInt32BE(0)).toBe(77);
});

const metadata = (apiVersion: number) => header({ apiKey: apiKeys.metadata, apiVersion });
const produce = (apiVersion: number) => header({ apiKey: apiKeys.produce, apiVersion });

const fatal: readonly (readonly [string, Buffer])[] = [
  ["a length above socket.request.max.bytes", int32(104_857_601)],
  ["the largest length", int32(0x7fff_ffff)],
  ["a negative length", int32(-1)],
  ["the most negative length", int32(-0x8000_0000)],
  ["a length of zero", int32(0)],
  ["a frame shorter than any header", frame(int16(apiKeys.apiVersions), int8(0))],
  ["a request of another protocol", Buffer.from("GET / HTTP/1.1\r\nHost: broker\r\n\r\n")],
  ["a TLS hello", Buffer.from("16030100c8010000c40303aabbccddeeff00112233445566778899", "hex")],
  ["an unknown API", frame(header({ apiKey: 9_999, apiVersion: 0 }))],
  ["a negative API key", frame(header({ apiKey: -1, apiVersion: 0 }))],
  ["a version of Metadata that does not exist", frame(metadata(99), int32(-1))],
  ["a negative version", frame(metadata(-1), int32(-1))],
  ["a version of Produce that brokers no longer speak", frame(produce(2), int16(-1), int32(1_000), int32(0))],
  [
    "a client id longer than the frame",
    frame(int16(apiKeys.metadata), int16(1), int32(1), int16(30_000), Buffer.from("short")),
  ],
  ["an array of two thousand million topics", frame(metadata(1), int32(0x7fff_ffff))],
  ["an array longer than the frame", frame(metadata(1), int32(3), string("only-one"))],
  ["a string longer than the frame", frame(metadata(1), int32(1), int16(500), Buffer.from("short"))],
  ["a body that is missing", frame(metadata(1))],
  [
    "records longer than the frame",
    frame(
      produce(7),
      string(null),
      int16(-1),
      int32(1_000),
      int32(1),
      string("t"),
      int32(1),
      int32(0),
      int32(1_000_000),
    ),
  ],
  [
    "a compact array of four thousand million topics",
    frame(header({ apiKey: 3, apiVersion: 9, tags: {} }), unsignedVarint(0xffff_ffff)),
  ],
  ["a varint without an end", frame(header({ apiKey: 3, apiVersion: 9, tags: {} }), Buffer.alloc(20, 0xff))],
  [
    "a million tagged fields that are not there",
    frame(header({ apiKey: 3, apiVersion: 9 }), unsignedVarint(1_000_000)),
  ],
  [
    "a tagged field longer than the frame",
    frame(
      header({ apiKey: 3, apiVersion: 9 }),
      unsignedVarint(1),
      unsignedVarint(0),
      unsignedVarint(1_000_000),
    ),
  ],
];

test.each(fatal)("%s ends the connection", async (_name, bytes) => {
  await using connection = await open();
  connection.write(bytes);
  expect((await connection.reply()).kind).toBe("closed");
});

test("random bytes in a whole frame end the connection or are answered, and nothing else suffers", async () => {
  for (let round = 0; round < 50; round++) {
    const garbage = randomBytes(8 + round * 7);
    await using connection = await open();
    connection.write(frame(garbage));
    connection.endSending();
    const reply = await connection.reply();
    expect(["closed", "frame"], garbage.toString("hex")).toContain(reply.kind);
  }
});

test("random bodies behind an honest header end the connection or are answered", async () => {
  for (const apiKey of [
    0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 32, 33, 37, 42, 44, 60,
  ]) {
    for (let round = 0; round < 3; round++) {
      const garbage = randomBytes(5 + round * 40);
      await using connection = await open();
      connection.write(frame(header({ apiKey, apiVersion: round }), garbage));
      connection.endSending();
      const reply = await connection.reply();
      expect(["closed", "frame"], `api ${apiKey}: ${garbage.toString("hex")}`).toContain(reply.kind);
    }
  }
});

test.each([1, 3, 4, 9, 15])("a frame broken off after %i bytes leaves nothing behind", async (length) => {
  await using connection = await open();
  connection.write(metadataRequest(1).subarray(0, length));
  connection.endSending();
  expect((await connection.reply()).kind).toBe("closed");
});

test("a connection reset in the middle of a frame leaves nothing behind", async () => {
  await using connection = await open();
  connection.write(int32(5_000_000), Buffer.alloc(1_000_000));
  connection.reset();
  expect((await connection.reply()).kind).toBe("closed");
});

describe("ApiVersions", () => {
  test.each([5, 99, 32_767])(
    "version %i is answered in version 0 with error 35 and what is spoken",
    async (apiVersion) => {
      await using connection = await open();
      connection.write(frame(header({ apiKey: 18, apiVersion, correlationId: 5, tags: {} }), taggedFields()));
      const response = await connection.response();
      expect(response.readInt32BE(0)).toBe(5);
      expect(response.readInt16BE(4)).toBe(35);
      const count = response.readInt32BE(6);
      expect(response.length).toBe(10 + count * 6);
      const entries = Array.from({ length: count }, (_, index) =>
        response.subarray(10 + index * 6, 16 + index * 6),
      );
      const own = entries.find((entry) => entry.readInt16BE(0) === apiKeys.apiVersions);
      expect([own?.readInt16BE(2), own?.readInt16BE(4)]).toEqual([0, 4]);
      // The connection goes on: the client now chooses a version that it has read.
      connection.write(apiVersionsRequest(6));
      expect((await connection.response()).readInt32BE(0)).toBe(6);
    },
  );

  test("version 3 is answered behind a header without tagged fields", async () => {
    await using connection = await open();
    const body = [compactString("raw-client"), compactString("1.0"), taggedFields()];
    connection.write(frame(header({ apiKey: 18, apiVersion: 3, correlationId: 9, tags: {} }), ...body));
    const response = await connection.response();
    expect([response.readInt32BE(0), response.readInt16BE(4)]).toEqual([9, 0]);
    // Right after the error comes the compact array, one entry of seven bytes each.
    expect(response.readUInt8(6)).toBeGreaterThan(20);
  });

  test("a client name with forbidden characters is an invalid request", async () => {
    await using connection = await open();
    const body = [compactString("-bad name!"), compactString("1.0"), taggedFields()];
    connection.write(frame(header({ apiKey: 18, apiVersion: 3, tags: {} }), ...body));
    expect((await connection.response()).readInt16BE(4)).toBe(42);
  });
});

test("a null client id is taken, in old and in flexible headers", async () => {
  await using connection = await open();
  connection.write(frame(header({ apiKey: 3, apiVersion: 1, correlationId: 1, clientId: null }), int32(-1)));
  expect((await connection.response()).readInt32BE(0)).toBe(1);
  const flexible = header({ apiKey: 3, apiVersion: 9, correlationId: 2, clientId: null, tags: {} });
  connection.write(frame(flexible, unsignedVarint(0), int8(0), int8(0), int8(0), taggedFields()));
  expect((await connection.response()).readInt32BE(0)).toBe(2);
});

test("unknown tagged fields are skipped wherever they are", async () => {
  await using connection = await open();
  const unknown = { 0: Buffer.from("zero"), 77: randomBytes(300), 100000: Buffer.alloc(0) };
  const topic = [compactString("unknown-topic"), taggedFields(unknown)];
  connection.write(
    frame(
      header({ apiKey: 3, apiVersion: 9, correlationId: 3, tags: unknown }),
      unsignedVarint(2),
      ...topic,
      int8(0), // Allow creation, and two times authorized operations: no.
      int8(0),
      int8(0),
      taggedFields(unknown),
    ),
  );
  const response = await connection.response();
  expect(response.readInt32BE(0)).toBe(3);
  expect(response.includes("unknown-topic")).toBe(true);
});

test("requests in one write are answered in their order", async () => {
  await using connection = await open();
  const requests = Array.from({ length: 60 }, (_, id) =>
    id % 2 ? apiVersionsRequest(id) : metadataRequest(id),
  );
  connection.write(...requests);
  for (let id = 0; id < 60; id++) expect((await connection.response()).readInt32BE(0)).toBe(id);
});

test("a fetch that waits holds back the answers behind it, not those of others", async () => {
  const topic = await createTopic(connectKafkajs(broker.bootstrapServers));
  await using connection = await open();
  await using other = await open();
  connection.write(
    fetchRequest({ topic, offset: 0n, waitMsMax: 700, correlationId: 1 }),
    apiVersionsRequest(2),
  );
  other.write(apiVersionsRequest(3));
  expect((await other.response()).readInt32BE(0)).toBe(3);
  expect((await connection.response()).readInt32BE(0)).toBe(1);
  expect((await connection.response()).readInt32BE(0)).toBe(2);
});

test("a request that comes byte by byte is answered", async () => {
  await using connection = await open();
  for (const byte of metadataRequest(8)) {
    connection.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await connection.response()).readInt32BE(0)).toBe(8);
});
