import { expect, test } from "vitest";
import { emptyImage, type MetadataImage, type TopicImage } from "#src/cluster/metadata/metadata-image.ts";
import { topicChanges } from "#src/cluster/metadata/topic-changes.ts";

function topic(name: string, { id = name, partitions = 1 } = {}): TopicImage {
  const images = Array.from({ length: partitions }, (_, index) => ({ index, groupId: index, replicas: [1] }));
  return { name, id, partitions: images, isInternal: false };
}

function image(...topics: TopicImage[]): MetadataImage {
  return { ...emptyImage, topics: new Map(topics.map((one) => [one.name, one])) };
}

const nothing = { created: [], grown: [], removed: [] };

test("images with the same topics differ in nothing", () => {
  const one = image(topic("a"));
  expect(topicChanges({ ...one, index: 9 }, one)).toEqual(nothing);
});

test("topics that came, grew and went are told apart", () => {
  const kept = topic("kept");
  const changes = topicChanges(
    image(kept, topic("new"), topic("wide", { partitions: 3 })),
    image(kept, topic("wide"), topic("gone")),
  );
  expect(changes).toEqual({
    created: [topic("new")],
    grown: [topic("wide", { partitions: 3 })],
    removed: [topic("gone")],
  });
});

test("a topic that was made again under its name is another one", () => {
  const changes = topicChanges(image(topic("a", { id: "second" })), image(topic("a", { id: "first" })));
  expect(changes).toMatchObject({ created: [{ id: "second" }], removed: [{ id: "first" }], grown: [] });
});
