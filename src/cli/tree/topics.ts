import type { CommandGroup, Option } from "../command.ts";
import { connectionOptions, jsonOption, yesOption } from "./common-options.ts";

const configOption: Option = {
  name: "config",
  short: "c",
  value: "KEY=VALUE",
  isRepeated: true,
  summary: "set a topic config, such as retention.ms=3600000",
};

/** `millrace topics ...`. */
export const topics: CommandGroup = {
  name: "topics",
  summary: "make, show, change and delete topics",
  commands: [
    {
      name: "topics list",
      summary: "list topics",
      positionals: [],
      options: [{ name: "internal", summary: "show internal topics too" }, jsonOption, ...connectionOptions],
      load: async () => (await import("../commands/list-topics.ts")).listTopics,
    },
    {
      name: "topics create",
      summary: "create topics",
      positionals: [{ name: "TOPIC", takes: "some" }],
      options: [
        {
          name: "partitions",
          short: "p",
          value: "COUNT",
          summary: "partitions (the broker's num.partitions)",
        },
        {
          name: "replication-factor",
          short: "r",
          value: "COUNT",
          summary: "replicas of each partition (the broker's default)",
        },
        configOption,
        { name: "if-not-exists", summary: "a topic that is there already is no failure" },
        { name: "dry-run", summary: "let the broker check only" },
        jsonOption,
        ...connectionOptions,
      ],
      examples: [
        {
          says: "A topic with 12 partitions that keeps records for a day",
          line: "millrace topics create orders -p 12 -c retention.ms=86400000",
        },
      ],
      load: async () => (await import("../commands/create-topics.ts")).createTopics,
    },
    {
      name: "topics describe",
      summary: "show partitions, offsets, sizes and configs of topics",
      positionals: [{ name: "TOPIC", takes: "some", completes: "topic" }],
      options: [jsonOption, ...connectionOptions],
      load: async () => (await import("../commands/describe-topics.ts")).describeTopics,
    },
    {
      name: "topics add-partitions",
      summary: "raise a topic's partition count",
      description: ["Records with a key may go to another partition from then on."],
      positionals: [
        { name: "TOPIC", takes: "one", completes: "topic" },
        { name: "COUNT", takes: "one" },
      ],
      options: [jsonOption, ...connectionOptions],
      examples: [{ says: "From however many to 24", line: "millrace topics add-partitions orders 24" }],
      load: async () => (await import("../commands/add-partitions.ts")).addPartitions,
    },
    {
      name: "topics delete",
      summary: "delete topics with all their records",
      positionals: [{ name: "TOPIC", takes: "some", completes: "topic" }],
      options: [
        { name: "if-exists", summary: "a topic that is not there is no failure" },
        yesOption,
        jsonOption,
        ...connectionOptions,
      ],
      load: async () => (await import("../commands/delete-topics.ts")).deleteTopics,
    },
    {
      name: "topics configs get",
      summary: "show a topic's configs",
      positionals: [
        { name: "TOPIC", takes: "one", completes: "topic" },
        { name: "KEY", takes: "any" },
      ],
      options: [
        { name: "all", summary: "show those that have their default, too" },
        jsonOption,
        ...connectionOptions,
      ],
      load: async () => (await import("../commands/topic-configs.ts")).getTopicConfigs,
    },
    {
      name: "topics configs set",
      summary: "set configs of a topic",
      positionals: [
        { name: "TOPIC", takes: "one", completes: "topic" },
        { name: "KEY=VALUE", takes: "some" },
      ],
      options: [jsonOption, ...connectionOptions],
      examples: [
        {
          says: "Keep the last record of each key",
          line: "millrace topics configs set users cleanup.policy=compact",
        },
      ],
      load: async () => (await import("../commands/topic-configs.ts")).setTopicConfigs,
    },
    {
      name: "topics configs unset",
      summary: "give configs of a topic back their defaults",
      positionals: [
        { name: "TOPIC", takes: "one", completes: "topic" },
        { name: "KEY", takes: "some" },
      ],
      options: [jsonOption, ...connectionOptions],
      load: async () => (await import("../commands/topic-configs.ts")).unsetTopicConfigs,
    },
  ],
};
