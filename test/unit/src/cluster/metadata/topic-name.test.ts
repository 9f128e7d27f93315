import { expect, test } from "vitest";
import { isValidTopicName } from "#src/cluster/metadata/topic-name.ts";

test.each(["a", "A.b_c-9", "...", "x".repeat(249)])("%s is a topic's name", (name) => {
  expect(isValidTopicName(name)).toBe(true);
});

test.each(["", ".", "..", "a b", "a/b", "ä", "a\n", "x".repeat(250)])("%j is not (trap 63)", (name) => {
  expect(isValidTopicName(name)).toBe(false);
});
