import { type TopicImage, topicById } from "../cluster/metadata/metadata-image.ts";
import type { MetadataStore } from "../cluster/metadata/metadata-store.ts";
import type { GroupTopic, TopicDirectory } from "./groups/topic-directory.ts";

/** The topics of the current image, as group coordinators ask for them. */
export function topicDirectoryOf(metadata: MetadataStore): TopicDirectory {
  return {
    find: (name) => groupTopic(metadata.image.topics.get(name)),
    findById: (id) => groupTopic(topicById(metadata.image, id)),
  };
}

function groupTopic(topic: TopicImage | undefined): GroupTopic | undefined {
  return topic && { name: topic.name, id: topic.id, partitionCount: topic.partitions.length };
}
