import { describe, expect, test } from "vitest";
import { encodeResponseFrame } from "#protocol/frame.ts";
import { ApiVersions } from "#protocol/messages/api-versions.ts";
import { Heartbeat } from "#protocol/messages/heartbeat.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { Produce } from "#protocol/messages/produce.ts";
import type { Api, ResponseOf } from "#protocol/schema/api.ts";

/** Responses put together by hand from Kafka's definitions, one line per field. */
describe("responses", () => {
  test("ApiVersions v3 is flexible but keeps the oldest header", () => {
    const response = {
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
      finalizedFeaturesEpoch: 7,
    };
    expectFrame(ApiVersions, 3, response, [
      "00000007", // correlation id, and no tags after it
      "0000", // no error
      "02 0012 0000 0004 00", // one API: key, versions, tags
      "00000000", // throttle time
      "01", // one tag:
      "01 08 0000000000000007", // the epoch of the finalized features
    ]);
  });

  test("Heartbeat v4 has tags in its header and in its body", () => {
    expectFrame(Heartbeat, 4, { errorCode: 27 }, ["00000007", "00", "00000000", "001b", "00"]);
  });

  test("Metadata v1 has neither throttle time nor cluster id", () => {
    const response = {
      throttleTimeMs: 5, // Ignorable: silently left out.
      controllerId: 1,
      brokers: [{ nodeId: 1, host: "h", port: 9092 }],
      topics: [
        { name: "t", partitions: [{ partitionIndex: 0, leaderId: 1, replicaNodes: [1], isrNodes: [1] }] },
      ],
    };
    expectFrame(Metadata, 1, response, [
      "00000007",
      "00000001 00000001 000168 00002384 ffff", // one broker: id, host, port, no rack
      "00000001", // controller
      "00000001 0000 000174 00", // one topic: no error, name, not internal
      "00000001 0000 00000000 00000001 00000001 00000001 00000001 00000001", // its partition
    ]);
  });

  test("Produce v10 says where the leader went, in tags", () => {
    const response = {
      responses: [
        {
          name: "t",
          partitionResponses: [
            { index: 2, errorCode: 6, baseOffset: -1, currentLeader: { leaderId: 4, leaderEpoch: 9 } },
          ],
        },
      ],
      nodeEndpoints: [{ nodeId: 4, host: "h", port: 9092 }],
    } as const;
    expectFrame(Produce, 10, response, [
      "00000007 00",
      "02 0274", // one topic
      "02 00000002 0006 ffffffffffffffff", // one partition: index, error, base offset
      "ffffffffffffffff ffffffffffffffff", // append time and log start offset, unknown
      "01 00", // no record errors, no message
      "01 00 09 00000004 00000009 00", // tag 0: leader and epoch
      "00", // the topic's tags
      "00000000", // throttle time
      "01 00 0d 02 00000004 0268 00002384 00 00", // tag 0: one endpoint without rack
    ]);
  });
});

function expectFrame<A extends Api>(
  api: A,
  version: number,
  response: ResponseOf<A>,
  lines: readonly string[],
): void {
  const body = lines.join("").replaceAll(" ", "");
  const size = (body.length / 2).toString(16).padStart(8, "0");
  const pieces = encodeResponseFrame(response, { api, version, correlationId: 7 });
  expect(Buffer.concat(pieces).toString("hex")).toBe(size + body);
}
