import { expect, test } from "vitest";
import { groupPartition } from "#src/coordinators/groups/group-partition.ts";

test.each([
  ["", 0],
  ["test", 3_556_498 % 50],
  ["hello", 99_162_322 % 50],
  ["Hello World", 862_545_276 % 50], // Its hash is negative.
  ["polygenelubricants", 0], // Its hash is -2^31, which has no positive twin.
])("group %j belongs to partition %i of 50", (groupId, partition) => {
  expect(groupPartition(groupId, 50)).toBe(partition);
});

test("characters beyond the basic plane count as two UTF-16 units", () => {
  expect(groupPartition("😀", 2 ** 31)).toBe(0xd83d * 31 + 0xde00);
});
