import fc from "fast-check";
import { Partitioners } from "kafkajs";
import { expect, test } from "vitest";
import { murmur2, partitionOfKey } from "#src/cli/client/partitioner.ts";

test("hashes as Kafka's own tests of murmur2 expect", () => {
  const expected = { "21": -973_932_308, foobar: -790_332_482, "a-little-bit-long-string": -985_981_536 };
  for (const [text, hash] of Object.entries(expected)) expect(murmur2(Buffer.from(text))).toBe(hash);
});

test("puts every key where kafkajs puts it", () => {
  const choose = Partitioners.DefaultPartitioner();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.integer({ min: 1, max: 500 }), (bytes, count) => {
      const key = Buffer.from(bytes);
      const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
        partitionId,
        partitionErrorCode: 0,
        leader: 1,
        replicas: [1],
        isr: [1],
      }));
      const theirs = choose({ topic: "t", partitionMetadata, message: { key, value: null } });
      expect(partitionOfKey(key, count)).toBe(theirs);
    }),
  );
});
