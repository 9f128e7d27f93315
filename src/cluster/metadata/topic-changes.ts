import type { MetadataImage, TopicImage } from "./metadata-image.ts";

/** What became of topics from one image to a later one. */
export interface TopicChanges {
  readonly created: readonly TopicImage[];
  /** Those with more partitions than before. */
  readonly grown: readonly TopicImage[];
  /** As they were. */
  readonly removed: readonly TopicImage[];
}

const nothing: TopicChanges = { created: [], grown: [], removed: [] };

/** Compares by topic id: a topic that was deleted and made again is both removed and created. */
export function topicChanges(image: MetadataImage, previous: MetadataImage): TopicChanges {
  if (image.topics === previous.topics) return nothing;
  const created: TopicImage[] = [];
  const grown: TopicImage[] = [];
  for (const topic of image.topics.values()) {
    const before = previous.topics.get(topic.name);
    if (before === topic) continue;
    if (before?.id !== topic.id) created.push(topic);
    else if (before.partitions.length < topic.partitions.length) grown.push(topic);
  }
  const removed = [...previous.topics.values()].filter(({ name, id }) => image.topics.get(name)?.id !== id);
  return { created, grown, removed };
}
