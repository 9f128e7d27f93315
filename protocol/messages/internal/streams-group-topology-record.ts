import { t } from "../../schema/field.ts";
import { message } from "../../schema/message.ts";

/** Key of a streams group's topology. */
export const StreamsGroupTopologyKey = message({
  name: "StreamsGroupTopologyKey",
  recordType: 23,
  versions: [0, 0],
  flexibleFrom: "never",
  fields: {
    groupId: t.string,
  },
});

const topicInfo = t.struct({
  name: t.string,
  partitions: t.int32,
  replicationFactor: t.int16,
  topicConfigs: t.array({
    key: t.string,
    value: t.string,
  }),
});

/** A streams group's topology: its subtopologies with their topics. */
export const StreamsGroupTopologyValue = message({
  name: "StreamsGroupTopologyValue",
  recordType: 23,
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    epoch: t.int32,
    subtopologies: t.array({
      subtopologyId: t.string,
      sourceTopics: t.array(t.string),
      sourceTopicRegex: t.array(t.string),
      stateChangelogTopics: t.array(topicInfo),
      repartitionSinkTopics: t.array(t.string),
      repartitionSourceTopics: t.array(topicInfo),
      copartitionGroups: t.array({
        sourceTopics: t.array(t.int16),
        sourceTopicRegex: t.array(t.int16),
        repartitionSourceTopics: t.array(t.int16),
      }),
    }),
  },
});
