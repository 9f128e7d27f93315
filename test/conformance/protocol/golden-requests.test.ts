import { describe, expect, test } from "vitest";
import { Reader } from "#protocol/bytes/reader.ts";
import { decodeRequestHeader, encodeRequestFrame } from "#protocol/frame.ts";
import { ApiVersions } from "#protocol/messages/api-versions.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DescribeConfigs } from "#protocol/messages/describe-configs.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import { FindCoordinator } from "#protocol/messages/find-coordinator.ts";
import { Heartbeat } from "#protocol/messages/heartbeat.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { JoinGroup } from "#protocol/messages/join-group.ts";
import { LeaveGroup } from "#protocol/messages/leave-group.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { OffsetCommit } from "#protocol/messages/offset-commit.ts";
import { OffsetFetch } from "#protocol/messages/offset-fetch.ts";
import { SaslAuthenticate } from "#protocol/messages/sasl-authenticate.ts";
import { SyncGroup } from "#protocol/messages/sync-group.ts";
import type { Api, RequestInput } from "#protocol/schema/api.ts";

/** Requests as real clients wrote them: kafkajs 2.2.4, and @platformatic/kafka 2.12.1 for the flexible versions. */
interface Golden {
  readonly by: "kafkajs" | "platformatic";
  readonly name: string;
  readonly hex: string;
  encode(): Uint8Array;
  decode(): { head: object; request: object; remainingBytes: number };
  readonly request: object;
  readonly head: object;
}

const topicId = Buffer.alloc(16, 5).toString("base64url");

const requests: readonly Golden[] = [
  golden({
    by: "kafkajs",
    api: ApiVersions,
    version: 2,
    hex: "0000001000120002000000070006676f6c64656e",
    request: {},
  }),
  golden({
    by: "kafkajs",
    api: Metadata,
    version: 6,
    hex: "0000002800030006000000070006676f6c64656e000000020007666c69676874730008616972706f72747300",
    request: { topics: [{ name: "flights" }, { name: "airports" }], allowAutoTopicCreation: false },
  }),
  golden({
    by: "kafkajs",
    api: Fetch,
    version: 11,
    hex: "000000620001000b000000070006676f6c64656effffffff000001f400000001001000000100000000ffffffff000000010007666c69676874730000000100000003000000020000000200000001ffffffffffffffff000100000000000000067261636b2d61",
    request: {
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 0x10_0000,
      isolationLevel: 1,
      rackId: "rack-a",
      topics: [
        {
          topic: "flights",
          partitions: [
            { partition: 3, currentLeaderEpoch: 2, fetchOffset: 2 ** 33 + 1, partitionMaxBytes: 0x1_0000 },
          ],
        },
      ],
    },
  }),
  golden({
    by: "kafkajs",
    api: ListOffsets,
    version: 3,
    hex: "0000003e00020003000000070006676f6c64656effffffff01000000010007666c69676874730000000200000000fffffffffffffffe000000010000018bcfe56800",
    request: {
      replicaId: -1,
      isolationLevel: 1,
      topics: [
        {
          name: "flights",
          partitions: [
            { partitionIndex: 0, timestamp: -2 },
            { partitionIndex: 1, timestamp: 1_700_000_000_000 },
          ],
        },
      ],
    },
  }),
  golden({
    by: "kafkajs",
    api: FindCoordinator,
    version: 2,
    hex: "0000001c000a0002000000070006676f6c64656e0009616e616c797469637300",
    request: { key: "analytics", keyType: 0 },
  }),
  golden({
    by: "kafkajs",
    api: JoinGroup,
    version: 5,
    hex: "00000056000b0005000000070006676f6c64656e0009616e616c7974696373000075300000ea60000000066e6f64652d310008636f6e73756d6572000000010012526f756e64526f62696e41737369676e657200000003000100",
    request: {
      groupId: "analytics",
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 60_000,
      groupInstanceId: "node-1",
      protocolType: "consumer",
      protocols: [{ name: "RoundRobinAssigner", metadata: Buffer.of(0, 1, 0) }],
    },
  }),
  golden({
    by: "kafkajs",
    api: SyncGroup,
    version: 3,
    hex: "0000003f000e0003000000070006676f6c64656e0009616e616c79746963730000000400086d656d6265722d31ffff0000000100086d656d6265722d3100000002cafe",
    request: {
      groupId: "analytics",
      generationId: 4,
      memberId: "member-1",
      assignments: [{ memberId: "member-1", assignment: Buffer.of(0xca, 0xfe) }],
    },
  }),
  golden({
    by: "kafkajs",
    api: Heartbeat,
    version: 3,
    hex: "0000002b000c0003000000070006676f6c64656e0009616e616c79746963730000000400086d656d6265722d31ffff",
    request: { groupId: "analytics", generationId: 4, memberId: "member-1" },
  }),
  golden({
    by: "kafkajs",
    api: OffsetCommit,
    version: 5,
    hex: "0000004c00080005000000070006676f6c64656e0009616e616c79746963730000000400086d656d6265722d31000000010007666c69676874730000000100000000000000000000002a00046e6f7465",
    request: {
      groupId: "analytics",
      generationIdOrMemberEpoch: 4,
      memberId: "member-1",
      topics: [
        {
          name: "flights",
          partitions: [{ partitionIndex: 0, committedOffset: 42, committedMetadata: "note" }],
        },
      ],
    },
  }),
  golden({
    by: "kafkajs",
    api: OffsetFetch,
    version: 4,
    hex: "0000003400090004000000070006676f6c64656e0009616e616c7974696373000000010007666c6967687473000000020000000000000001",
    request: { groupId: "analytics", topics: [{ name: "flights", partitionIndexes: [0, 1] }] },
  }),
  golden({
    by: "kafkajs",
    api: LeaveGroup,
    version: 3,
    hex: "0000002b000d0003000000070006676f6c64656e0009616e616c79746963730000000100086d656d6265722d31ffff",
    request: { groupId: "analytics", members: [{ memberId: "member-1" }] },
  }),
  golden({
    by: "kafkajs",
    api: CreateTopics,
    version: 3,
    hex: "0000004900130003000000070006676f6c64656e000000010007666c69676874730000000600010000000000000001000e636c65616e75702e706f6c6963790007636f6d706163740000138801",
    request: {
      timeoutMs: 5_000,
      validateOnly: true,
      topics: [
        {
          name: "flights",
          numPartitions: 6,
          replicationFactor: 1,
          configs: [{ name: "cleanup.policy", value: "compact" }],
        },
      ],
    },
  }),
  golden({
    by: "kafkajs",
    api: DescribeConfigs,
    version: 2,
    hex: "0000003100200002000000070006676f6c64656e00000001020007666c696768747300000001000c726574656e74696f6e2e6d7301",
    request: {
      includeSynonyms: true,
      resources: [{ resourceType: 2, resourceName: "flights", configurationKeys: ["retention.ms"] }],
    },
  }),
  golden({
    by: "kafkajs",
    api: InitProducerId,
    version: 1,
    hex: "0000001600160001000000070006676f6c64656effff0000ea60",
    request: { transactionTimeoutMs: 60_000 },
  }),
  golden({
    by: "kafkajs",
    api: SaslAuthenticate,
    version: 1,
    hex: "0000001800240001000000070006676f6c64656e0000000401020304",
    request: { authBytes: Buffer.of(1, 2, 3, 4) },
  }),
  golden({
    by: "platformatic",
    api: ApiVersions,
    version: 4,
    hex: "0000002600120004000000070006676f6c64656e000e676f6c64656e2d636c69656e7406312e322e3300",
    request: { clientSoftwareName: "golden-client", clientSoftwareVersion: "1.2.3" },
  }),
  golden({
    by: "platformatic",
    api: Metadata,
    version: 12,
    hex: "0000002e0003000c000000070006676f6c64656e00020000000000000000000000000000000008666c696768747300010000",
    request: { topics: [{ name: "flights" }], allowAutoTopicCreation: true },
  }),
  golden({
    by: "platformatic",
    api: Fetch,
    version: 17,
    hex: "0000006300010011000000070006676f6c64656e00000001f400000001001000000100000000ffffffff02050505050505050505050505050505050200000003000000020000000200000001ffffffffffffffffffffffff00010000000001077261636b2d6100",
    request: {
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 0x10_0000,
      isolationLevel: 1,
      rackId: "rack-a",
      topics: [
        {
          topicId,
          partitions: [
            { partition: 3, currentLeaderEpoch: 2, fetchOffset: 2 ** 33 + 1, partitionMaxBytes: 0x1_0000 },
          ],
        },
      ],
    },
  }),
  golden({
    by: "platformatic",
    api: FindCoordinator,
    version: 6,
    hex: "0000001e000a0006000000070006676f6c64656e0000020a616e616c797469637300",
    request: { keyType: 0, coordinatorKeys: ["analytics"] },
  }),
  golden({
    by: "platformatic",
    api: JoinGroup,
    version: 9,
    hex: "00000049000b0009000000070006676f6c64656e000a616e616c7974696373000075300000ea6001076e6f64652d3109636f6e73756d6572020672616e6765040001000008776879206e6f7400",
    request: {
      groupId: "analytics",
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 60_000,
      groupInstanceId: "node-1",
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: Buffer.of(0, 1, 0) }],
      reason: "why not",
    },
  }),
  golden({
    by: "platformatic",
    api: OffsetFetch,
    version: 9,
    hex: "0000003700090009000000070006676f6c64656e00020a616e616c797469637300ffffffff0208666c696768747303000000000000000100000100",
    request: {
      requireStable: true,
      groups: [{ groupId: "analytics", topics: [{ name: "flights", partitionIndexes: [0, 1] }] }],
    },
  }),
  golden({
    by: "platformatic",
    api: OffsetCommit,
    version: 9,
    hex: "0000004b00080009000000070006676f6c64656e000a616e616c797469637300000004096d656d6265722d31000208666c69676874730200000000000000000000002a00000001056e6f7465000000",
    request: {
      groupId: "analytics",
      generationIdOrMemberEpoch: 4,
      memberId: "member-1",
      topics: [
        {
          name: "flights",
          partitions: [
            { partitionIndex: 0, committedOffset: 42, committedLeaderEpoch: 1, committedMetadata: "note" },
          ],
        },
      ],
    },
  }),
  golden({
    by: "platformatic",
    api: ListOffsets,
    version: 9,
    hex: "0000003300020009000000070006676f6c64656e00ffffffff010208666c69676874730200000000fffffffffffffffffffffffe000000",
    request: {
      replicaId: -1,
      isolationLevel: 1,
      topics: [{ name: "flights", partitions: [{ partitionIndex: 0, timestamp: -2 }] }],
    },
  }),
  golden({
    by: "platformatic",
    api: InitProducerId,
    version: 5,
    hex: "0000002100160005000000070006676f6c64656e00000000ea60ffffffffffffffffffff00",
    request: { transactionTimeoutMs: 60_000 },
  }),
];

describe("requests of real clients", () => {
  test.each(requests)("$name by $by decodes to what it says", ({ decode, head, request }) => {
    const decoded = decode();
    expect(decoded).toMatchObject({ head, request, remainingBytes: 0 });
  });

  test.each(requests)("$name is encoded as $by does", ({ encode, hex }) => {
    expect(toHex(encode())).toBe(hex);
  });
});

function golden<A extends Api>({
  by,
  api,
  version,
  hex,
  request,
}: {
  by: Golden["by"];
  api: A;
  version: number;
  hex: string;
  request: RequestInput<A>;
}): Golden {
  return {
    by,
    name: `${api.name} v${version}`,
    hex,
    request,
    head: { apiKey: api.key, apiVersion: version, correlationId: 7, clientId: "golden" },
    encode: () => encodeRequestFrame(request, { api, version, correlationId: 7, clientId: "golden" }),
    decode: () => {
      const reader = new Reader(Buffer.from(hex, "hex"));
      expect(reader.int32()).toBe(reader.remainingBytes);
      const head = decodeRequestHeader(reader);
      return { head, request: api.request.decode(reader, version), remainingBytes: reader.remainingBytes };
    },
  };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
