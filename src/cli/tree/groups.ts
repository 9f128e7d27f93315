import type { CommandGroup } from "../command.ts";
import { connectionOptions, jsonOption, yesOption } from "./common-options.ts";

/** `millrace groups ...`. */
export const groups: CommandGroup = {
  name: "groups",
  summary: "show consumer groups and their lag, reset and delete them",
  commands: [
    {
      name: "groups list",
      summary: "list groups",
      positionals: [],
      options: [
        {
          name: "state",
          value: "STATE",
          isRepeated: true,
          summary: "only groups in this state, such as Stable or Empty",
        },
        jsonOption,
        ...connectionOptions,
      ],
      load: async () => (await import("../commands/list-groups.ts")).listGroups,
    },
    {
      name: "groups describe",
      summary: "show state, members, offsets and lag of groups",
      positionals: [{ name: "GROUP", takes: "some", completes: "group" }],
      options: [jsonOption, ...connectionOptions],
      load: async () => (await import("../commands/describe-groups.ts")).describeGroups,
    },
    {
      name: "groups reset",
      summary: "move a group's offsets",
      description: [
        "The group must have no members. --to is one of: beginning, end, an offset, +N or -N (from where it is),",
        "or a time such as 2026-01-31T12:00:00Z. Without --execute it only shows what would change.",
      ],
      positionals: [{ name: "GROUP", takes: "one", completes: "group" }],
      options: [
        {
          name: "topic",
          short: "t",
          value: "TOPIC[:PARTITION]",
          isRepeated: true,
          summary: "what to move; all topics that the group has offsets for unless given",
          completes: "topic",
        },
        { name: "to", value: "WHERE", summary: "where to (needed)", completes: ["beginning", "end"] },
        { name: "execute", summary: "do it" },
        jsonOption,
        ...connectionOptions,
      ],
      examples: [
        {
          says: "Read the topic again from the beginning",
          line: "millrace groups reset billing --topic orders --to beginning --execute",
        },
        {
          says: "Go back by 100 records in partition 3",
          line: "millrace groups reset billing -t orders:3 --to -100 --execute",
        },
      ],
      load: async () => (await import("../commands/reset-group.ts")).resetGroup,
    },
    {
      name: "groups delete",
      summary: "delete groups with their offsets",
      positionals: [{ name: "GROUP", takes: "some", completes: "group" }],
      options: [yesOption, jsonOption, ...connectionOptions],
      load: async () => (await import("../commands/delete-groups.ts")).deleteGroups,
    },
  ],
};
